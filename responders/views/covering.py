from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, KeysetPagination
from core.api.problems import refuse_unknown_parameters
from responders.models import Schedule, ScheduleOverride, ShiftSwap
from responders.permissions import require_cover
from responders.serializers.covering import OverrideSerializer, SwapSerializer
from responders.services import covering, swapping


class OverrideViewSet(IdempotentWrites, viewsets.ModelViewSet[ScheduleOverride]):
    """The overrides of a schedule: everybody signed in reads; the team's members and administrators write."""

    queryset = ScheduleOverride.objects.all()
    serializer_class = OverrideSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = KeysetPagination
    orderings = {"id": [Key("id")]}
    default_ordering = "-id"

    def get_queryset(self) -> Any:
        rows = ScheduleOverride.objects.select_related("schedule")
        return rows.filter(schedule=self.kwargs["schedule_id"]) if "schedule_id" in self.kwargs else rows.none()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "schedule": self._schedule()}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        refuse_unknown_parameters(request, KeysetPagination.parameters)
        self._schedule()
        return super().list(request, *args, **kwargs)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        require_cover(request.user, self._schedule())
        return super().create(request, *args, **kwargs)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Omitted fields are reset; of a running override, only the end and the comment change."""
        require_cover(request.user, self._schedule())
        return super().update(request, *args, **kwargs)

    def perform_create(self, serializer: Any) -> None:
        fields = serializer.validated_data
        serializer.instance = covering.add_override(
            self._schedule(), **fields, by=self.request.user, now=timezone.now()
        )

    def perform_update(self, serializer: Any) -> None:
        fields = serializer.validated_data
        if not serializer.partial:
            fields = {"layer": "", "add": [], "remove": [], "is_everybody": False, "comment": "", **fields}
        serializer.instance = covering.edit_override(
            serializer.instance, by=self.request.user, now=timezone.now(), fields=fields
        )

    def perform_destroy(self, instance: ScheduleOverride) -> None:
        covering.remove_override(instance, by=self.request.user, now=timezone.now())

    def _schedule(self) -> Any:
        if "schedule_id" not in self.kwargs:  # the API's description
            return Schedule()
        return get_object_or_404(Schedule, pk=self.kwargs["schedule_id"])


class SwapViewSet(IdempotentWrites, viewsets.ModelViewSet[ShiftSwap]):
    """Requests to be relieved of a shift.

    Whoever is on shift asks, a member of the schedule's team takes, and the asker or an administrator approves.
    """

    queryset = ShiftSwap.objects.select_related("schedule", "requester", "taker")
    serializer_class = SwapSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = KeysetPagination
    orderings = {"id": [Key("id")]}
    default_ordering = "-id"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        refuse_unknown_parameters(request, KeysetPagination.parameters)
        return super().list(request, *args, **kwargs)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Omitted fields stay as they are; nothing changes once somebody has taken the shift."""
        return super().update(request, *args, **kwargs)

    def perform_create(self, serializer: Any) -> None:
        fields = {"requester": self.request.user, **serializer.validated_data}
        serializer.instance = swapping.ask(**fields, by=self.request.user, now=timezone.now())

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = swapping.edit_swap(
            serializer.instance, by=self.request.user, now=timezone.now(), fields=serializer.validated_data
        )

    def perform_destroy(self, instance: ShiftSwap) -> None:
        swapping.withdraw(instance, by=self.request.user)

    @extend_schema(operation_id="shift_swaps_take", summary=_("Take a shift"), request=None, responses=SwapSerializer)
    @action(detail=True, methods=["post"])
    def take(self, request: Request, pk: str) -> Response:
        return self._answered(swapping.take(self.get_object(), by=request.user, now=timezone.now()))

    @extend_schema(
        operation_id="shift_swaps_approve", summary=_("Approve a swap"), request=None, responses=SwapSerializer
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        return self._answered(swapping.approve(self.get_object(), by=request.user, now=timezone.now()))

    def _answered(self, swap: ShiftSwap) -> Response:
        return Response(self.get_serializer(swap).data, status=http.HTTP_200_OK)
