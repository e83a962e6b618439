"""Job runs, remembered answers, transaction markers."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.name


class IdempotentRequest(models.Model):
    """A write with an `Idempotency-Key`, and its answer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key_digest = models.CharField(max_length=64, help_text=_("SHA-256 of method, path and key, exact bytes."))
    content_digest = models.CharField(max_length=64, help_text=_("SHA-256 of the fields and the files' digests."))
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key_digest"], name="idempotent_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.key_digest[:8]} → {self.status}"


class TransactionMarker(models.Model):
    """Proof of a commit; see `core.db.mariadb`."""

    id = models.CharField(max_length=32, primary_key=True, editable=False)

    def __str__(self) -> str:
        return self.id
