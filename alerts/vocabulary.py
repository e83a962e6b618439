"""The words of alerts."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AlertStatus(models.TextChoices):
    """Whether the condition holds, as far as its sender said."""

    FIRING = "firing", "Firing"
    RESOLVED = "resolved", "Resolved"


class Ending(models.TextChoices):
    """What ended an alert's firing; an expired one may still be firing."""

    SENDER = "sender", "Its sender"
    EXPIRY = "expiry", "Nothing heard any more"


class AlertEventKind(models.TextChoices):
    """What alerts put on an incident's timeline."""

    ADDED = "alert_added", _("Alert added")
    RESOLVED = "alert_resolved", _("Alert resolved")
    REMOVED = "alert_removed", _("Alert removed")


class MatchOperator(models.TextChoices):
    """How a matcher compares, as in Prometheus; regular expressions match the whole value."""

    EQUAL = "=", "is"
    NOT_EQUAL = "!=", "is not"
    MATCHES = "=~", "matches"
    MATCHES_NOT = "!~", "does not match"
