from typing import Any

from django.utils import timezone
from rest_framework import viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser

from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, KeysetPagination
from core.api.permissions import RespondersReadOrAdmin
from core.api.problems import refuse_unknown_parameters
from core.errors import TooLarge
from responders.ical.reading import MAX_BYTES
from responders.models import ImportedCalendar, Schedule
from responders.serializers.calendars import ImportedCalendarSerializer
from responders.services import importing


class ImportedCalendarViewSet(IdempotentWrites, viewsets.ModelViewSet[ImportedCalendar]):
    """Calendars that a schedule's layers can be read from."""

    queryset = ImportedCalendar.objects.all()
    serializer_class = ImportedCalendarSerializer
    permission_classes = [RespondersReadOrAdmin]
    parser_classes = [JSONParser, MultiPartParser, FormParser]
    pagination_class = KeysetPagination
    orderings = {"id": [Key("id")]}
    default_ordering = "id"
    copy: importing.Copy | None = None

    def get_queryset(self) -> Any:
        rows = ImportedCalendar.objects.select_related("schedule")
        return rows.filter(schedule=self.kwargs["schedule_id"]) if "schedule_id" in self.kwargs else rows.none()

    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_unknown_parameters(request, KeysetPagination.parameters)
        self._schedule()
        return super().list(request, *args, **kwargs)

    def update(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Omitted fields stay as they are; an address or a file replaces the copy in use, if it can be read."""
        return super().update(request, *args, **kwargs)

    def prepare(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Fetch and read the calendar before its transaction begins."""
        if self.action == "destroy":
            return
        schedule = self._schedule()
        instance = None if self.action == "create" else self.get_object()
        serializer = self.get_serializer(instance, data=request.data, partial=self.action == "partial_update")
        serializer.is_valid(raise_exception=True)
        self._read(schedule, serializer.validated_data)

    def perform_create(self, serializer: Any) -> None:
        schedule, name = self._schedule(), serializer.validated_data["name"]
        copy = self.copy or self._read(schedule, serializer.validated_data)
        serializer.instance = importing.add_calendar(
            schedule, copy, name=name, by=self.request.user, now=timezone.now()
        )

    def perform_update(self, serializer: Any) -> None:
        calendar, given = serializer.instance, serializer.validated_data
        copy = self.copy or self._read(calendar.schedule, given)
        name = given.get("name", calendar.name)
        importing.edit_calendar(calendar, copy, name=name, by=self.request.user, now=timezone.now())

    def _read(self, schedule: Schedule, given: Any) -> importing.Copy | None:
        url, file = given.get("url", ""), given.get("file")
        if url or file is not None or self.action == "create":
            self.copy = importing.read_copy(schedule, timezone.now(), url=url, content=_content(file))
        return self.copy

    def perform_destroy(self, instance: ImportedCalendar) -> None:
        importing.remove_calendar(instance, by=self.request.user, now=timezone.now())

    def _schedule(self) -> Schedule:
        return get_object_or_404(Schedule, pk=self.kwargs["schedule_id"])


def _content(file: Any) -> bytes:
    if file is None:
        return b""
    if file.size > MAX_BYTES:
        raise TooLarge(f"A calendar has at most {MAX_BYTES // 1024:,} KB.")
    content: bytes = file.read()
    return content
