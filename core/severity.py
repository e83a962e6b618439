"""Severity and priority: stored as integers, higher is worse."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.IntegerChoices):
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")

    @property
    def word(self) -> str:
        return self.name.lower()


class Priority(models.IntegerChoices):
    """Urgency; follows the severity unless set."""

    P4 = 1, "P4"
    P3 = 2, "P3"
    P2 = 3, "P2"
    P1 = 4, "P1"

    @property
    def word(self) -> str:
        return self.name.lower()


SEVERITY_WORDS = [(severity.word, severity.label) for severity in sorted(Severity, reverse=True)]
PRIORITY_WORDS = [(priority.word, priority.label) for priority in sorted(Priority, reverse=True)]
WORD_OF_SEVERITY = {severity.value: severity.word for severity in Severity}
WORD_OF_PRIORITY = {priority.value: priority.word for priority in Priority}
SEVERITY_OF_WORD = {severity.word: severity for severity in Severity}
PRIORITY_OF_WORD = {priority.word: priority for priority in Priority}
