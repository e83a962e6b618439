import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.configuration import ConfigurationViewSet
from core.api.listing import truth_of
from core.api.problems import refuse, refuse_unknown_parameters, typed_moment_of
from core.errors import Conflict, NotSignedIn
from responders import oncall
from responders.lineups import typed_instant, zone_of
from responders.models import PolicyTarget, Schedule
from responders.serializers.lineups import YEARS
from responders.serializers.oncall import (
    FairnessSerializer,
    GapsSerializer,
    OnCallSerializer,
    ShiftsSerializer,
    TokenSerializer,
    on_call_shown,
    shares_shown,
    shift_shown,
    utc,
)
from responders.serializers.schedules import ChangedScheduleSerializer, ScheduleSerializer
from responders.services.calendars import calendar_of_person, calendar_of_schedule
from responders.services.oncall import names_of, on_call_and_next, spec_of
from responders.services.reporting import shares_of
from responders.services.tokens import find_calendar_token, new_calendar_token, revoke_calendar_token

USUAL, LONGEST = dt.timedelta(days=28), dt.timedelta(days=400)
CLOCKS = "Without an offset, by the schedule's clocks."
PERIOD = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, description=f"By default now. {CLOCKS}"),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="By default 28 days later; at most 400."),
]
AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description=f"By default now. {CLOCKS}")
DRY_RUN = OpenApiParameter("dry_run", bool, description="Answer what would change, and store nothing.")
TOKEN = OpenApiParameter("token", str, required=True, description="A calendar token.")
CALENDAR = {(200, "text/calendar"): OpenApiTypes.STR}


@extend_schema_view(
    update=extend_schema(parameters=[DRY_RUN], responses=ChangedScheduleSerializer),
    partial_update=extend_schema(parameters=[DRY_RUN], responses=ChangedScheduleSerializer),
)
class ScheduleViewSet(ConfigurationViewSet):
    queryset = Schedule.objects.prefetch_related("versions")
    serializer_class = ScheduleSerializer

    def get_serializer_class(self) -> Any:
        return ChangedScheduleSerializer if self.action in ("update", "partial_update") else ScheduleSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        is_change = self.action in ("update", "partial_update")
        return {
            **super().get_serializer_context(),
            "now": timezone.now(),
            "is_dry_run": is_change and _is_dry_run(self.request),
            "tells_difference": is_change,
        }

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        refuse_unknown_parameters(request, {"dry_run"})
        return super().update(request, *args, **kwargs)

    def perform_destroy(self, instance: Any) -> None:
        count = PolicyTarget.objects.filter(kind="schedule", target_id=instance.pk).count()
        if count:
            used = [{"kind": "escalation policy", "count": count}]
            message = f"{instance} is used by {count} escalation policies. Retire it instead: is_active = false."
            raise Conflict(message, code="in_use", used_by=used)
        super().perform_destroy(instance)

    @extend_schema(
        operation_id="schedules_on_call", summary=_("Get who is on call"), parameters=[AT], responses=OnCallSerializer
    )
    @action(detail=True, url_path="on-call", pagination_class=None)
    def on_call(self, request: Request, pk: str) -> Response:
        refuse_unknown_parameters(request, {"at"})
        schedule = self._schedule()
        at = _moment_of(request, "at", schedule) or timezone.now()
        now, following = on_call_and_next([schedule.pk], at)[schedule.pk]
        return Response(on_call_shown(at, now, following))

    @extend_schema(
        operation_id="schedules_shifts", summary=_("List shifts"), parameters=PERIOD, responses=ShiftsSerializer
    )
    @action(detail=True, pagination_class=None)
    def shifts(self, request: Request, pk: str) -> Response:
        schedule = self._schedule()
        start, end = _period_of(request, schedule)
        found = oncall.shifts(spec_of(schedule.pk, start, end), start, end)
        names = names_of(shift.user_id for shift in found)
        return _rendered(start, end, [shift_shown(shift, names) for shift in found])

    @extend_schema(
        operation_id="schedules_gaps",
        summary=_("List when nobody is on call"),
        parameters=PERIOD,
        responses=GapsSerializer,
    )
    @action(detail=True, pagination_class=None)
    def gaps(self, request: Request, pk: str) -> Response:
        schedule = self._schedule()
        start, end = _period_of(request, schedule)
        found = oncall.gaps(spec_of(schedule.pk, start, end), start, end)
        rows = [{"from": utc(gap.starts_at), "to": utc(gap.ends_at), "unmatched": list(gap.unmatched)} for gap in found]
        return _rendered(start, end, rows)

    @extend_schema(
        operation_id="schedules_fairness",
        summary=_("Get how on-call time is spread"),
        parameters=PERIOD,
        responses=FairnessSerializer,
    )
    @action(detail=True, pagination_class=None)
    def fairness(self, request: Request, pk: str) -> Response:
        schedule = self._schedule()
        start, end = _period_of(request, schedule)
        found = oncall.shifts(spec_of(schedule.pk, start, end), start, end)
        shares = shares_of(found, zone_of(schedule.time_zone), schedule.holidays)
        return _rendered(start, end, shares_shown(shares, names_of(shares)))

    def _schedule(self) -> Schedule:
        return get_object_or_404(Schedule, pk=self.kwargs["pk"])


class CalendarTokenView(APIView):
    """The token of one's subscription to a schedule's calendar; never stored, so that a repeated POST makes another."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="schedules_calendar_token_create",
        summary=_("Create a token for a schedule's calendar, revoking the one before"),
        request=None,
        responses={201: TokenSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        schedule = get_object_or_404(Schedule, pk=pk)
        return _token_response(request, schedule, f"/api/v1/schedules/{pk}/calendar.ics")

    @extend_schema(
        operation_id="schedules_calendar_token_destroy",
        summary=_("Revoke one's token for a schedule's calendar"),
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        revoke_calendar_token(request.user, get_object_or_404(Schedule, pk=pk))
        return Response(status=http.HTTP_204_NO_CONTENT)


class OwnCalendarTokenView(APIView):
    """The token of the calendar of one's own shifts; never stored, so that a repeated POST makes another."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_calendar_token_create",
        summary=_("Create a token for the calendar of one's shifts, revoking the one before"),
        request=None,
        responses={201: TokenSerializer},
    )
    def post(self, request: Request) -> Response:
        return _token_response(request, None, "/api/v1/me/shifts.ics")

    @extend_schema(
        operation_id="me_calendar_token_destroy",
        summary=_("Revoke the token for the calendar of one's shifts"),
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        revoke_calendar_token(request.user, None)
        return Response(status=http.HTTP_204_NO_CONTENT)


class ScheduleCalendarView(APIView):
    """A schedule's final shifts, for calendar programs; Google asks for changes every 12 to 24 hours only."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="schedules_calendar",
        summary=_("Subscribe to a schedule"),
        parameters=[TOKEN],
        responses=CALENDAR,
        auth=[],
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        token = _token_of(request, pk)
        return _calendar(calendar_of_schedule(token.schedule, timezone.now()))


class OwnCalendarView(APIView):
    """One's own final shifts of all schedules, for calendar programs."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="me_calendar",
        summary=_("Subscribe to one's own shifts"),
        parameters=[TOKEN],
        responses=CALENDAR,
        auth=[],
    )
    def get(self, request: Request) -> HttpResponse:
        return _calendar(calendar_of_person(_token_of(request, None).user, timezone.now()))


def _token_response(request: Request, schedule: Schedule | None, path: str) -> Response:
    token = new_calendar_token(request.user, schedule)
    url = request.build_absolute_uri(f"{path}?token={token}")
    return Response({"token": token, "url": url}, status=http.HTTP_201_CREATED)


def _token_of(request: Request, schedule_id: int | None) -> Any:
    refuse_unknown_parameters(request, {"token"})
    found = find_calendar_token(request.query_params.get("token", ""), schedule_id, timezone.now())
    if found is None:
        raise NotSignedIn("This calendar's token is missing, wrong or revoked.", code="invalid_token")
    return found


def _calendar(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="on-call.ics"'
    response["Cache-Control"] = "private, max-age=300"
    return response


def _is_dry_run(request: Request) -> bool:
    return truth_of("dry_run", request.query_params.get("dry_run", "false"))


def _moment_of(request: Request, name: str, schedule: Schedule) -> dt.datetime | None:
    if name not in request.query_params:
        return None
    typed = typed_moment_of(name, request.query_params[name])
    if typed.year not in YEARS:
        refuse(name, f"{name} must be in the years from {YEARS[0]} to {YEARS[-1]}.")
    return typed_instant(typed, schedule.time_zone, name)


def _period_of(request: Request, schedule: Schedule) -> tuple[dt.datetime, dt.datetime]:
    refuse_unknown_parameters(request, {"from", "to"})
    start = _moment_of(request, "from", schedule) or timezone.now()
    end = _moment_of(request, "to", schedule) or start + USUAL
    if end <= start:
        refuse("to", "Must be later than from.")
    if end - start > LONGEST:
        refuse("to", f"At most {LONGEST.days} days after from.")
    return start, end


def _rendered(start: dt.datetime, end: dt.datetime, rows: list[Any]) -> Response:
    return Response({"from": utc(start), "to": utc(end), "next": None, "previous": None, "results": rows})
