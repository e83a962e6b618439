import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.actor import acting
from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.permissions import IsAdmin, IsResponder, RespondersReadOrAdmin
from core.api.problems import refuse_unknown_parameters
from logs.models import DetectionRule
from logs.serializers.rules import (
    BacktestSerializer,
    DetectionRuleSerializer,
    RangeSerializer,
    RuleTemplatesSerializer,
    SimulatedSerializer,
    SimulationSerializer,
    UnsavedRuleSerializer,
)
from logs.services.backtesting import backtest, check_may_try
from logs.services.rules import delete_rule, templates
from logs.services.simulating import simulate


class DetectionRuleViewSet(ConfigurationViewSet):
    """Rules that raise alerts from log lines; docs/detection.md describes their queries."""

    queryset = DetectionRule.objects.all()
    serializer_class = DetectionRuleSerializer
    permission_classes = [RespondersReadOrAdmin]

    def perform_destroy(self, instance: Any) -> None:
        with acting(self.request.user):
            delete_rule(instance)

    @extend_schema(
        operation_id="detection_rules_backtest",
        summary=_("Backtest a detection rule"),
        request=RangeSerializer,
        responses=BacktestSerializer,
    )
    @action(detail=True, methods=["post"], permission_classes=[IsResponder])
    def backtest(self, request: Request, pk: str | None = None) -> Response:
        """Return the alerts that it would have raised. Nothing is stored; `is_truncated` says whether it stopped
        early."""
        serializer = RangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return _tried(self.get_object(), serializer.validated_data)

    @extend_schema(
        operation_id="detection_rules_backtest_unsaved",
        summary=_("Backtest an unsaved detection rule"),
        request=UnsavedRuleSerializer,
        responses=BacktestSerializer,
    )
    @action(detail=False, methods=["post"], permission_classes=[IsResponder], url_path="backtest")
    def backtest_unsaved(self, request: Request) -> Response:
        """Takes a rule's fields, `since` and `until`. Nothing is stored. Of another store, administrators only."""
        serializer = UnsavedRuleSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        rule = serializer.rule()
        check_may_try(rule, request.user)
        return _tried(rule, serializer.validated_data)

    @extend_schema(
        operation_id="detection_rules_templates",
        summary=_("List detection rules to begin with"),
        responses=RuleTemplatesSerializer,
        filters=False,
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def templates(self, request: Request) -> Response:
        """Rules over outside stores that many begin with. `rule` can be sent as it is to create one."""
        refuse_unknown_parameters(request, set())
        return Response(RuleTemplatesSerializer({"templates": templates()}).data)


def _tried(rule: DetectionRule, given: dict[str, Any]) -> Response:
    until = given.get("until") or timezone.now()
    since = given.get("since") or until - dt.timedelta(days=1)
    return Response(BacktestSerializer(backtest(rule, since, until)).data)


class SimulateIncidentView(IdempotentWrites, APIView):
    """A simulated incident."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="simulate_incident",
        summary=_("Simulate an incident from log lines"),
        request=SimulationSerializer,
        responses={202: SimulatedSerializer},
    )
    def post(self, request: Request) -> Response:
        """The alert is queued; the worker opens its incident."""
        serializer = SimulationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with acting(request.user):
            done = simulate(**serializer.validated_data, now=timezone.now())
        return Response(SimulatedSerializer(done).data, status=http.HTTP_202_ACCEPTED)
