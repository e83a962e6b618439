"""Counts that are kept rather than counted, so that the summary costs the same at any size."""

from django.db import models

from incidents.vocabulary import Severity, Status


class Tally(models.Model):
    """How many unrestricted, undeleted incidents share a status, severity, team and category (0 stands for none).

    An incident points to the row it is counted in; while its `is_tallied` is false, the row is out of date for it.
    """

    status = models.CharField(max_length=16, choices=Status.choices)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    team_key = models.BigIntegerField(default=0)
    category_key = models.BigIntegerField(default=0)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["status", "severity", "team_key", "category_key"], name="tally_once")
        ]

    def __str__(self) -> str:
        return f"{self.count} × {self.status}/{self.severity}/{self.team_key}/{self.category_key}"
