from typing import Any
from urllib.parse import urlsplit

from rest_framework import serializers

from core.api.configuration import StrictFields
from core.text.names import refuse_bad_name
from responders.models import ImportedCalendar


class ImportedCalendarSerializer(StrictFields, serializers.Serializer[Any]):
    """A calendar that a layer can be read from: an address, fetched every 15 minutes, or an uploaded file.

    `fetched_at` is the age of the copy in use; `error` says why the last attempt failed. The address may hold a secret:
    only its host is shown.
    """

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=100, validators=[refuse_bad_name])
    url = serializers.CharField(max_length=2000, write_only=True, required=False, allow_blank=True)
    file = serializers.FileField(write_only=True, required=False, max_length=200)
    host = serializers.SerializerMethodField()
    fetched_at = serializers.DateTimeField(read_only=True, allow_null=True)
    checked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    error = serializers.CharField(read_only=True)
    unmatched = serializers.ListField(child=serializers.CharField(), read_only=True)

    def get_host(self, calendar: ImportedCalendar) -> str:
        return urlsplit(calendar.url).hostname or ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("url") and attrs.get("file"):
            raise serializers.ValidationError({"file": "Give an address or a file, not both."})
        return attrs
