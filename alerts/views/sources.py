from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from alerts.endpoints.sampling import Sample, send_sample
from alerts.models import Heartbeat
from alerts.serializers.sources import (
    HeartbeatSerializer,
    NewKeySerializer,
    NewSourceSerializer,
    SampleResultSerializer,
    SourceKeySerializer,
    SourceSerializer,
    TaughtSerializer,
    TeachSerializer,
)
from alerts.services.teaching import teach
from alerts.services.words import message_of, prune_known, serialize_message
from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.paging import Key
from core.api.permissions import IsAdmin
from core.db.transactions import unit_of_work
from core.errors import NotFound
from intake.models import Source, SourceKey, UnknownWord
from intake.services.sources import clear_cache, create_key, revoke_key, snippet_for
from users.authentication import person


class SourceViewSet(ConfigurationViewSet):
    """Sources of alerts and log lines."""

    queryset = Source.objects.prefetch_related("keys").annotate(
        has_unknown_words=Exists(UnknownWord.objects.filter(source=OuterRef("pk")))
    )
    serializer_class = SourceSerializer
    permission_classes = [IsAdmin]
    lookup_value_regex = "[0-9]+"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse Idempotency-Key where the answer holds a key: those are never stored."""
        if self.action in ("create", "create_key"):
            super(IdempotentWrites, self).initial(request, *args, **kwargs)
        else:
            super().initial(request, *args, **kwargs)

    @extend_schema(summary=_("Create a source with its first key"), responses={201: NewSourceSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        source, text = self._make(serializer)
        shown = {**self.get_serializer(source).data, "key": text, "snippet": snippet_for(source, text)}
        return Response(shown, status=http.HTTP_201_CREATED)

    @unit_of_work
    def _make(self, serializer: BaseSerializer[Any]) -> tuple[Source, str]:
        self._save(serializer)
        source: Any = serializer.instance
        return source, create_key(source, by=person(self.request))[1]

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        super().perform_update(serializer)
        source: Any = serializer.instance
        prune_known(source)
        clear_cache()

    def perform_destroy(self, instance: Any) -> None:
        super().perform_destroy(instance)
        clear_cache()

    @extend_schema(
        operation_id="source_keys_create",
        summary=_("Create another key for a source"),
        request=None,
        responses={201: NewKeySerializer},
    )
    @action(detail=True, methods=["post"], url_path="keys")
    def create_key(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        key, text = create_key(source, by=person(request))
        shown = {**SourceKeySerializer(key).data, "key": text, "snippet": snippet_for(source, text)}
        return Response(shown, status=http.HTTP_201_CREATED)

    @extend_schema(
        operation_id="source_keys_destroy",
        summary=_("Revoke a key of a source"),
        parameters=[OpenApiParameter("key_id", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses={204: None},
    )
    @action(detail=True, methods=["delete"], url_path=r"keys/(?P<key_id>[0-9]+)")
    def revoke_key(self, request: Request, pk: str, key_id: str) -> Response:
        source = self.get_object()
        key = SourceKey.objects.filter(source=source, pk=key_id).select_related("source").first()
        if key is None:
            raise NotFound(f"{source} has no key {key_id}.")
        revoke_key(key, by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="sources_teach",
        summary=_("Map a sender's value to a status or severity"),
        request=TeachSerializer,
        responses={200: TaughtSerializer},
    )
    @action(detail=True, methods=["post"])
    def teach(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        form = TeachSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        applied = teach(
            source,
            about=asked["field"],
            word=asked["word"],
            means=asked["means"],
            is_applied=asked["apply"],
            by=person(request),
        )
        return Response({**SourceSerializer(self.get_object()).data, "applied": applied})

    @extend_schema(
        operation_id="sources_test",
        summary=_("Send a sample alert to a source"),
        request=None,
        responses={200: SampleResultSerializer},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        return Response(_sampled(source, send_sample(source)))


class HeartbeatViewSet(ConfigurationViewSet):
    """Heartbeats; a sender's first ping creates its own."""

    queryset = Heartbeat.objects.all()
    serializer_class = HeartbeatSerializer
    permission_classes = [IsAdmin]
    orderings = {"name": [Key("name")], "id": [Key("id")]}
    lookup_value_regex = "[0-9]+"


def _sampled(source: Source, sample: Sample) -> dict[str, Any]:
    return {
        "status": sample.status,
        "detail": sample.detail,
        "event": sample.event.pk if sample.event else None,
        "alerts": [serialize_message(message_of(source, one, timezone.now())) for one in sample.updates],
    }
