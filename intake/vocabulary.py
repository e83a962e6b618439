"""The words of intake."""

from django.db import models

LOGS = "logs"  # whoever sends log lines; every other kind is a vendor's


class MappedField(models.TextChoices):
    """What a word of a sender's is about."""

    STATUS = "status", "Status"
    SEVERITY = "severity", "Severity"


class IntakeState(models.TextChoices):
    """What became of a request."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped by a route"
    IGNORED = "ignored", "No effect"
    FAILED = "failed", "Failed"
    LIMITED = "limited", "Over the rate limit"
