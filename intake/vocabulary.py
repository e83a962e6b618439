"""The words of intake."""

from django.db import models
from django.utils.translation import gettext_lazy as _

LOGS = "logs"  # whoever sends log lines; every other kind is a vendor's


class MappedField(models.TextChoices):
    """What a word of a sender's is about."""

    STATUS = "status", _("Status")
    SEVERITY = "severity", _("Severity")


class IntakeState(models.TextChoices):
    """What became of a request."""

    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    DROPPED = "dropped", _("Dropped by a route")
    IGNORED = "ignored", _("No effect")
    FAILED = "failed", _("Failed")
    LIMITED = "limited", _("Over the rate limit")
