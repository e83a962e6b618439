"""Routes of runs."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from core.api.schema import paged
from core.text.sentences import shown
from incidents.models import Incident
from incidents.views.lookup import INCIDENT_ID, incident_for
from remediation.filters import RUNS
from remediation.models import Run
from remediation.permissions import absent
from remediation.serializers.runs import (
    NewRunSerializer,
    ProposedRunSerializer,
    RunApprovalSerializer,
    RunDetailSerializer,
    RunExecutionSerializer,
    RunReasonSerializer,
    RunSerializer,
    RunSettlementSerializer,
)
from remediation.services import deciding, executing, proposing, settling
from remediation.services.proposing import Draft
from users.authentication import person

NUMBERS = "[0-9]{1,18}"
RUN_ID = OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH, description=_("The run's id."))
RELATED = ("incident", "version__runbook", "proposed_by", "approved_by", "executed_by", "settled_by")


def run_for(request: Request, id: str | int) -> Run:
    """Return a run that the caller sees, with what is shown of it. Raises NotFound."""
    seen = Run.objects.visible_to(person(request)).select_related(*RELATED)
    run = seen.prefetch_related("targets", "phases").filter(pk=int(id)).first()
    if run is None:
        raise absent()
    return run


def _valid(form: type[Any], request: Request) -> dict[str, Any]:
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class RunViewSet(ViewSet):
    """Runs of incidents that the caller sees; responders and administrators only.

    What may be done once is refused afterwards by the run's state, so that no key of idempotency is needed.
    """

    permission_classes = [IsResponder]
    lookup_value_regex = NUMBERS
    lookup_url_kwarg = "id"

    @extend_schema(
        operation_id="runs_list", summary=_("List runs"), parameters=RUNS.parameters, responses=paged(RunSerializer)
    )
    def list(self, request: Request) -> Response:
        viewer = person(request)
        asker = Incident.objects.visibility_key(viewer)
        pages = RUNS.page(request, lambda: Run.objects.visible_to(viewer), asker=asker)
        return pages.get_paginated_response(RunSerializer(pages.rows, many=True).data)

    @extend_schema(
        operation_id="runs_retrieve",
        summary=_("Get a run with its targets and phases"),
        parameters=[RUN_ID],
        responses=RunDetailSerializer,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, set())
        return self._shown(request, id)

    @extend_schema(
        operation_id="runs_approve",
        summary=_("Approve a run"),
        description=_(
            "Administrators and the incident's team; a run of class B is approved by somebody other than who proposed "
            "it (403 `own_run`). `digest` is that of the run that they read. An approval is valid for 15 minutes."
        ),
        parameters=[RUN_ID],
        request=RunApprovalSerializer,
        responses=RunDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, id: str) -> Response:
        run = run_for(request, id)
        deciding.approve(run, by=person(request), **_valid(RunApprovalSerializer, request))
        return self._shown(request, id)

    @extend_schema(
        operation_id="runs_reject",
        summary=_("Reject a proposed run"),
        parameters=[RUN_ID],
        request=RunReasonSerializer,
        responses=RunDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, id: str) -> Response:
        run = run_for(request, id)
        deciding.reject(run, by=person(request), **_valid(RunReasonSerializer, request))
        return self._shown(request, id)

    @extend_schema(
        operation_id="runs_dry_run",
        summary=_("Try a run without effect"),
        description=_("The worker does it; the outcome is among the run's phases."),
        parameters=[RUN_ID],
        request=None,
        responses=RunDetailSerializer,
    )
    @action(detail=True, methods=["post"], url_path="dry-run")
    def dry_run(self, request: Request, id: str) -> Response:
        executing.dry_run(run_for(request, id), by=person(request))
        return self._shown(request, id)

    @extend_schema(
        operation_id="runs_execute",
        summary=_("Execute an approved run"),
        description=_("Refused (409) if its targets are no longer those approved, or a guard forbids it."),
        parameters=[RUN_ID],
        request=RunExecutionSerializer,
        responses=RunDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def execute(self, request: Request, id: str) -> Response:
        run = run_for(request, id)
        executing.execute(run, by=person(request), **_valid(RunExecutionSerializer, request))
        return self._shown(request, id)

    @extend_schema(
        operation_id="runs_abort",
        summary=_("Abort a run, an executing one before its next step"),
        parameters=[RUN_ID],
        request=RunReasonSerializer,
        responses=RunDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def abort(self, request: Request, id: str) -> Response:
        run = run_for(request, id)
        deciding.abort(run, by=person(request), **_valid(RunReasonSerializer, request))
        return self._shown(request, id)

    @extend_schema(
        operation_id="runs_settle",
        summary=_("Settle a run that ended unknown"),
        description=_("Say what you found it did; its targets are free then. Once only (409 `already_settled`)."),
        parameters=[RUN_ID],
        request=RunSettlementSerializer,
        responses=RunDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, id: str) -> Response:
        run = run_for(request, id)
        settling.settle(run, by=person(request), **_valid(RunSettlementSerializer, request))
        return self._shown(request, id)

    def _shown(self, request: Request, id: str) -> Response:
        return Response(RunDetailSerializer(run_for(request, id)).data)


class IncidentRunsView(IdempotentWrites, APIView):
    """Runs of one incident."""

    permission_classes = [IsResponder]

    draft: Draft | None = None  # with its targets, once they were found

    @extend_schema(
        operation_id="incident_runs_create",
        summary=_("Propose a run of a runbook"),
        description=_("Its targets are found now; `warnings` say what would forbid it."),
        parameters=[INCIDENT_ID, IDEMPOTENCY_KEY],
        request=NewRunSerializer,
        responses={201: ProposedRunSerializer},
    )
    def post(self, request: Request, id: str) -> Response:
        if self.draft is None:
            self.prepare(request, id=id)
        draft: Draft = self.draft  # type: ignore[assignment]  # prepared
        proposal = proposing.store(incident_for(request, id), draft, by=person(request))
        shown_run: Any = run_for(request, proposal.run.pk)
        shown_run.warnings = [{"code": one.code, "text": shown(one.text)} for one in proposal.warnings]
        return Response(ProposedRunSerializer(shown_run).data, status=http.HTTP_201_CREATED)

    def prepare(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find the targets before the transaction: that may ask other systems."""
        incident = incident_for(request, kwargs["id"])
        given = _valid(NewRunSerializer, request)
        parameters = given.get("parameters", {})
        self.draft = proposing.prepare(incident, given["runbook"], by=person(request), parameters=parameters)
