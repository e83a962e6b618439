"""How much is sent to phones a day."""

from django.db import models


class PhoneUsage(models.Model):
    """SMS and calls of one day (UTC); `scope` is `number:` with a digest, `person:` with an id, or `country:`."""

    day = models.DateField()
    scope = models.CharField(max_length=80)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "scope"], name="phone_usage_once")]

    def __str__(self) -> str:
        return f"{self.scope.partition(':')[0]} on {self.day}"
