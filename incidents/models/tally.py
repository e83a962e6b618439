"""Kept counts, so that the summary costs the same at any size."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Dimension(models.TextChoices):
    """By what the summary counts."""

    STATUS = "status", _("Status")
    SEVERITY = "severity", _("Severity")
    TEAM = "team", _("Team")
    CATEGORY = "category", _("Category")


class Tally(models.Model):
    """How many unrestricted, undeleted incidents have this value (a status, number or id; "" for none)."""

    dimension = models.CharField(max_length=16, choices=Dimension.choices)
    value = models.CharField(max_length=24, blank=True, default="")
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dimension", "value"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.count} × {self.dimension} {self.value or 'none'}"
