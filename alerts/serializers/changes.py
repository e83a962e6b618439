import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts.models import ChangeEvent
from alerts.serializers.alerts import AlertLinkSerializer
from alerts.serializers.fields import CheckedField, ServiceField
from core.api.configuration import CleanedModelSerializer
from core.api.schema import paged
from core.api.times import refuse_future
from responders.models import Service

MOST = 100
LONGEST_DETAIL = 2000
_address = URLValidator(schemes=["http", "https"])


def checked_links(value: Any) -> list[dict[str, str]]:
    """Check links to pages. Raises ValueError."""
    if not isinstance(value, list) or len(value) > MOST:
        raise ValueError(f"Send a list of at most {MOST} objects with href and text.")
    for link in value:
        if not isinstance(link, dict) or set(link) - {"href", "text"} or not isinstance(link.get("href"), str):
            raise ValueError("A link must be an object with href and text.")
        if not isinstance(link.get("text", ""), str) or len(link["href"]) > LONGEST_DETAIL:
            raise ValueError("A link's text must be text, and its URL at most 2,000 characters long.")
        try:
            _address(link["href"])
        except ValidationError as error:
            raise ValueError(f"{link['href'][:100]} is not the URL of a web page.") from error
    return [{"href": link["href"], "text": link.get("text", "")[:LONGEST_DETAIL]} for link in value]


@extend_schema_field(AlertLinkSerializer(many=True))
class LinksField(CheckedField):
    check = staticmethod(checked_links)


class ChangeSerializer(CleanedModelSerializer):
    """A deploy, setting or flag that somebody changed; `occurred_at` is now by default."""

    service = ServiceField(queryset=Service.objects.all(), required=False, allow_null=True)
    source = serializers.IntegerField(  # type: ignore[assignment]
        source="source_id", read_only=True, allow_null=True
    )
    details = serializers.DictField(child=serializers.CharField(max_length=LONGEST_DETAIL), required=False)
    links = LinksField(required=False)
    occurred_at = serializers.DateTimeField(required=False)

    class Meta:
        model = ChangeEvent
        fields = [
            *("id", "summary", "service", "source", "origin", "details", "links", "occurred_at", "received_at"),
        ]
        read_only_fields = ["received_at"]

    def validate_details(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MOST:
            raise serializers.ValidationError(f"At most {MOST} details are accepted.")
        return value

    def validate_occurred_at(self, value: dt.datetime) -> dt.datetime:
        refuse_future("occurred_at", value, timezone.now())
        return value

    def create(self, validated_data: dict[str, Any]) -> ChangeEvent:
        now = timezone.now()
        made: ChangeEvent = super().create({"occurred_at": now, **validated_data, "received_at": now})
        return made


ChangePageSerializer = paged(ChangeSerializer)
