from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.schema import paged
from status_page.models import Subscriber
from status_page.services.subscribing import Request
from status_page.vocabulary import SubscriberState


class SubscriberSerializer(serializers.Serializer[Any]):
    """An address that is told of updates by mail; without components, of all."""

    id = serializers.IntegerField()
    email = serializers.EmailField()
    language = serializers.CharField()
    state = serializers.ChoiceField(choices=SubscriberState.choices)
    components = serializers.ListField(child=serializers.IntegerField())
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    unsubscribed_at = serializers.DateTimeField(allow_null=True)


SubscriberPageSerializer = paged(SubscriberSerializer)


class SubscriptionSerializer(StrictFields, serializers.Serializer[Any]):
    """What an address is to be told of."""

    email = serializers.CharField(max_length=254)
    language = serializers.CharField(max_length=8, required=False, allow_blank=True, default="")
    components = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        default=list,
        max_length=1_000,
        help_text=_("Ids; none means all."),
    )


class NewSubscriberSerializer(SubscriptionSerializer):
    """An address to add."""

    is_confirmed = serializers.BooleanField(
        required=False,
        default=False,
        help_text=_("The consent is on record elsewhere: no mail asks for it."),
    )


class ImportSerializer(StrictFields, serializers.Serializer[Any]):
    """Addresses whose consent is on record elsewhere."""

    subscribers = SubscriptionSerializer(many=True, allow_empty=False)


class ImportedSerializer(serializers.Serializer[Any]):
    """How many addresses were added, and how many were known and left as they are."""

    created = serializers.IntegerField()
    known = serializers.IntegerField()


def request_of(values: dict[str, Any]) -> Request:
    """Return what validated values ask for."""
    return Request(values["email"], values["language"], values["components"])


def serialize_subscriber(row: Subscriber) -> dict[str, Any]:
    names = ("id", "email", "language", "state", "created_at", "confirmed_at", "unsubscribed_at")
    plain = {name: getattr(row, name) for name in names}
    return {**plain, "components": sorted(component.pk for component in row.components.all())}
