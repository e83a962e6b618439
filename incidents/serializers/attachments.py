"""How attachments are shown."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from incidents.models import Attachment

SHOWN = ("id", "name", "media_type", "size", "sha256", "width", "height")


def serialize_attachment(attachment: Attachment, request: Request) -> dict[str, Any]:
    """Return a file as the API shows it."""
    url = reverse("attachment-file", args=[attachment.pk], request=request)
    has_thumbnail = attachment.thumbnail_key or attachment.thumbnail_due_at
    return {
        **{name: getattr(attachment, name) for name in SHOWN},
        "url": url,
        "thumbnail_url": f"{url.removesuffix('file/')}thumbnail/" if has_thumbnail else None,
        "uploaded_by": attachment.uploaded_by_id,
        "created_at": attachment.created_at,
    }


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """A file of an incident. `thumbnail_url` is null where there is no thumbnail and none will be made."""

    url = serializers.URLField()
    thumbnail_url = serializers.URLField(allow_null=True)

    class Meta:
        model = Attachment
        fields = [*SHOWN, "url", "thumbnail_url", "uploaded_by", "created_at"]
        read_only_fields = fields


class FilesSerializer(serializers.Serializer[Any]):
    """Files to attach, as multipart; the content is judged, not the name."""

    attachments = serializers.ListField(child=serializers.FileField())
