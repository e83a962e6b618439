from typing import Any

from django.utils import timezone
from rest_framework import viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, KeysetPagination
from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from responders.models import HandoverNote, Schedule
from responders.serializers.handing_over import HandoverNoteSerializer
from responders.services import handing_over


class HandoverNoteViewSet(IdempotentWrites, viewsets.ModelViewSet[HandoverNote]):
    """A schedule's hand-over notes: responders read; who is on call, the team and administrators write."""

    queryset = HandoverNote.objects.all()
    serializer_class = HandoverNoteSerializer
    permission_classes = [IsResponder]
    pagination_class = KeysetPagination
    orderings = {"id": [Key("id")]}
    default_ordering = "-id"

    def get_queryset(self) -> Any:
        rows = HandoverNote.objects.select_related("author", "schedule")
        return rows.filter(schedule=self.kwargs["schedule_id"]) if "schedule_id" in self.kwargs else rows.none()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "schedule": self._schedule()}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        refuse_unknown_parameters(request, KeysetPagination.parameters)
        self._schedule()
        return super().list(request, *args, **kwargs)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Omitted fields stay as they are; only the text changes."""
        return super().update(request, *args, **kwargs)

    def perform_create(self, serializer: Any) -> None:
        by: Any = self.request.user
        serializer.instance = handing_over.write_note(
            self._schedule(), **serializer.validated_data, by=by, now=timezone.now()
        )

    def perform_update(self, serializer: Any) -> None:
        by: Any = self.request.user
        text = serializer.validated_data.get("text", serializer.instance.text)
        serializer.instance = handing_over.edit_note(serializer.instance, text=text, by=by, now=timezone.now())

    def perform_destroy(self, instance: HandoverNote) -> None:
        by: Any = self.request.user
        handing_over.remove_note(instance, by=by)

    def _schedule(self) -> Any:
        if "schedule_id" not in self.kwargs:  # the API's description
            return Schedule()
        return get_object_or_404(Schedule, pk=self.kwargs["schedule_id"])
