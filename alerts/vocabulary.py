"""The words of alerts."""

from django.db import models


class AlertStatus(models.TextChoices):
    """Whether the condition holds, as far as its sender said."""

    FIRING = "firing", "Firing"
    RESOLVED = "resolved", "Resolved"


class Ending(models.TextChoices):
    """What ended an alert's firing; an expired one may still be firing."""

    SENDER = "sender", "Its sender"
    EXPIRY = "expiry", "Nothing heard any more"


class MatchOperator(models.TextChoices):
    """How a matcher compares, as in Prometheus; regular expressions match the whole value."""

    EQUAL = "=", "is"
    NOT_EQUAL = "!=", "is not"
    MATCHES = "=~", "matches"
    MATCHES_NOT = "!~", "does not match"
