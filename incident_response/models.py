"""What the process keeps about itself."""

from django.db import models


class JobRun(models.Model):
    """When a background job last ran, and how that went. The worker's sign of life."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.name
