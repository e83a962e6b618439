"""How attachments are shown."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from incidents.models import Attachment


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """A file of an incident. `thumbnail_url` is null where there is no thumbnail and none will be made."""

    url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields = [
            "id",
            "name",
            "media_type",
            "size",
            "sha256",
            "width",
            "height",
            "url",
            "thumbnail_url",
            "uploaded_by",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, attachment: Attachment) -> str:
        return self._address("attachment-file", attachment)

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_thumbnail_url(self, attachment: Attachment) -> str | None:
        if not (attachment.thumbnail_key or attachment.thumbnail_due_at):
            return None
        return self._address("attachment-thumbnail", attachment)

    def _address(self, route: str, attachment: Attachment) -> str:
        return str(reverse(route, args=[attachment.pk], request=self.context.get("request")))


class FilesSerializer(serializers.Serializer[Any]):
    """Files to attach, as multipart; the content is judged, not the name."""

    attachments = serializers.ListField(child=serializers.FileField())
