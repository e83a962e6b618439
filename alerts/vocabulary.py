from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AlertStatus(models.TextChoices):
    """Whether the condition holds, as last heard."""

    FIRING = "firing", _("Firing")
    RESOLVED = "resolved", pgettext_lazy("alert", "Resolved")


class Ending(models.TextChoices):
    """What ended a firing; an expired alert may still be firing."""

    SENDER = "sender", _("Its sender")
    EXPIRY = "expiry", _("No further updates")


class AlertEventKind(models.TextChoices):
    """Alerts' events on an incident's timeline."""

    ADDED = "alert_added", _("Alert added")
    RESOLVED = "alert_resolved", _("Alert resolved")
    REMOVED = "alert_removed", _("Alert removed")


class MatchOperator(models.TextChoices):
    """Prometheus' operators; regular expressions match the whole value."""

    EQUAL = "=", _("is")
    NOT_EQUAL = "!=", _("is not")
    MATCHES = "=~", _("matches")
    MATCHES_NOT = "!~", _("does not match")
