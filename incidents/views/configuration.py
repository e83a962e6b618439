"""Routes of categories, SLA policies and rules for reports."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.configuration import ConfigurationViewSet
from core.api.paging import Key
from core.api.permissions import IsResponder, RespondersReadOrAdmin
from incidents.models import Category, ReportRule, SlaPolicy
from incidents.serializers.configuration import (
    CategorySerializer,
    ReportRuleSerializer,
    RuleOrderSerializer,
    RuleProspectSerializer,
    RuleTrialSerializer,
    SlaPolicySerializer,
)
from incidents.services.report_rules import Report, reorder_rules, try_report
from users.authentication import person


class CategoryViewSet(ConfigurationViewSet):
    """Categories."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer


class SlaPolicyViewSet(ConfigurationViewSet):
    """SLA policies: one per severity, and optionally one per severity and category."""

    queryset = SlaPolicy.objects.select_related("category")
    serializer_class = SlaPolicySerializer
    orderings = {"severity": [Key("severity")], "name": [Key("name")], "id": [Key("id")]}
    default_ordering = "-severity"


class ReportRuleViewSet(ConfigurationViewSet):
    """Rules for reports, in evaluation order."""

    queryset = ReportRule.objects.select_related("category", "service")
    serializer_class = ReportRuleSerializer
    permission_classes = [RespondersReadOrAdmin]
    orderings = {"position": [Key("position")], "name": [Key("name")], "id": [Key("id")]}
    default_ordering = "position"
    lookup_value_regex = "[0-9]+"

    @extend_schema(
        operation_id="report_rules_reorder",
        summary=_("Reorder the rules for reports"),
        request=RuleOrderSerializer,
        responses={200: RuleOrderSerializer},
    )
    @action(detail=False, methods=["post"])
    def reorder(self, request: Request) -> Response:
        form = RuleOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        reorder_rules(form.validated_data["ids"], by=person(request))
        return Response({"ids": form.validated_data["ids"]})

    @extend_schema(
        operation_id="report_rules_simulate",
        summary=_("Simulate a report; nothing is stored"),
        request=RuleTrialSerializer,
        responses={200: RuleProspectSerializer},
    )
    @action(detail=False, methods=["post"], permission_classes=[IsResponder])
    def simulate(self, request: Request) -> Response:
        form = RuleTrialSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(RuleProspectSerializer(try_report(Report(**form.validated_data))).data)
