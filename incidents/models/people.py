"""Who follows an incident, and how incidents relate."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from incidents.vocabulary import LinkKind


class Subscription(models.Model):
    """A person who follows an incident, and so sees it. Its reporter always does."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="subscriptions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "incident"], name="subscribed_once")]

    def __str__(self) -> str:
        return f"{self.user_id} follows {self.incident_id}"


class IncidentLink(models.Model):
    """`incident` is a duplicate of, related to, or caused by `target`."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="links")
    target = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="linked_from")
    kind = models.CharField(max_length=16, choices=LinkKind.choices)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["incident", "target", "kind"], name="linked_once")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind} {self.target_id}"
