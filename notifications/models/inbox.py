from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from notifications.vocabulary import Importance, Kind


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> "NotificationQuerySet":
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """An entry of a person's inbox; `key` is the SHA-256 of its cause and the person."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications", db_index=False
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    importance = models.CharField(max_length=8, choices=Importance.choices, default=Importance.LOW)
    title = models.CharField(max_length=300)
    body = models.TextField(blank=True, default="")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.CASCADE, related_name="notifications")
    path = models.CharField(max_length=300, blank=True, default="", help_text=_("Of the page that shows it."))
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "id"], name="inbox_of_person"),
            models.Index(fields=["user", "read_at", "id"], name="inbox_unread"),
            models.Index(fields=["created_at"], name="inbox_created"),
        ]

    def __str__(self) -> str:
        return self.title
