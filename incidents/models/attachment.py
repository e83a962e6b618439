"""Files that came with an incident."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Attachment(models.Model):
    """A file: the original, a copy that is safe to serve, and for pictures a thumbnail.

    `served_key` is empty where the original is served (text, PDF); `thumbnail_due_at` is set until the thumbnail is
    made. What we made has a keyed `*_digest`, unless it was made before there were any.
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200, help_text=_("The uploaded file name, sanitised."))
    media_type = models.CharField(max_length=64, help_text=_("Detected from the content."))
    size = models.PositiveBigIntegerField(help_text=_("Bytes of the original."))
    sha256 = models.CharField(max_length=64, help_text=_("Of the original."))
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    original_key = models.CharField(max_length=200)
    served_key = models.CharField(max_length=200, blank=True, default="")
    served_digest = models.CharField(max_length=64, blank=True, default="")
    served_media_type = models.CharField(max_length=64, blank=True, default="")
    thumbnail_key = models.CharField(max_length=200, blank=True, default="")
    thumbnail_digest = models.CharField(max_length=64, blank=True, default="")
    thumbnail_due_at = models.DateTimeField(null=True, db_index=True)
    thumbnail_attempts = models.PositiveSmallIntegerField(default=0)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")
