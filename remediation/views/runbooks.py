"""Routes of runbooks, their secrets, freeze windows and the global stop."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.paging import Key
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsAdmin, IsResponder, RespondersReadOrAdmin
from core.api.problems import refuse_unknown_parameters
from core.api.schema import paged
from core.db.deleting import delete_configuration
from core.errors import NotFound
from remediation.filters import RUNBOOKS, SECRETS
from remediation.models import FreezeWindow, Runbook, RunbookSecret, RunbookVersion, Stop
from remediation.serializers.runbooks import (
    FreezeWindowSerializer,
    RunbookChangeSerializer,
    RunbookSecretSerializer,
    RunbookSerializer,
    RunbookVersionSerializer,
    ShownRunbookSerializer,
    StopReasonSerializer,
    StopSerializer,
)
from remediation.services import pausing, runbooks, secrets, stopping
from remediation.services.runbooks import RunbookInvalid
from remediation.views.runs import NUMBERS
from users.authentication import person

RUNBOOK_ID = OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH, description=_("The runbook's id."))

SECRET_ID = OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH, description=_("The secret's id."))


def runbook_for(id: str) -> Runbook:
    runbook = Runbook.objects.select_related("current").filter(pk=int(id), current__isnull=False).first()
    if runbook is None:
        raise NotFound("This runbook does not exist.")
    return runbook


def secret_for(id: str) -> RunbookSecret:
    secret = RunbookSecret.objects.filter(pk=int(id)).first()
    if secret is None:
        raise NotFound("This secret does not exist.")
    return secret


@contextmanager
def _faults_by_field() -> Iterator[None]:
    """Answer with every fault of a runbook, by place."""
    try:
        yield
    except RunbookInvalid as error:
        raise ValidationError({place: [text] for place, text in error.extra["faults"].items()}) from error


class RunbookViewSet(IdempotentWrites, ViewSet):
    """Runbooks: responders read them, administrators write them; an edit makes a new version."""

    permission_classes = [RespondersReadOrAdmin]
    lookup_value_regex = NUMBERS
    lookup_url_kwarg = "id"

    @extend_schema(
        operation_id="runbooks_list",
        summary=_("List runbooks"),
        parameters=RUNBOOKS.parameters,
        responses=paged(ShownRunbookSerializer),
    )
    def list(self, request: Request) -> Response:
        pages = RUNBOOKS.page(request, lambda: Runbook.objects.filter(current__isnull=False), asker="anybody")
        return pages.get_paginated_response(RunbookSerializer(pages.rows, many=True).data)

    @extend_schema(
        operation_id="runbooks_create",
        summary=_("Create a runbook"),
        parameters=[IDEMPOTENCY_KEY],
        request=RunbookChangeSerializer,
        responses={201: ShownRunbookSerializer},
    )
    def create(self, request: Request) -> Response:
        form = RunbookChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with _faults_by_field():
            made = runbooks.create(by=person(request), **form.validated_data)
        return Response(RunbookSerializer(runbook_for(str(made.pk))).data, status=http.HTTP_201_CREATED)

    @extend_schema(
        operation_id="runbooks_retrieve",
        summary=_("Get a runbook"),
        parameters=[RUNBOOK_ID],
        responses=ShownRunbookSerializer,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, set())
        return Response(RunbookSerializer(runbook_for(id)).data)

    @extend_schema(
        operation_id="runbooks_partial_update",
        summary=_("Update a runbook: another definition becomes its next version"),
        parameters=[RUNBOOK_ID, IDEMPOTENCY_KEY],
        request=RunbookChangeSerializer,
        responses=ShownRunbookSerializer,
    )
    def partial_update(self, request: Request, id: str) -> Response:
        form = RunbookChangeSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        with _faults_by_field():
            runbooks.edit(runbook_for(id), by=person(request), **form.validated_data)
        return Response(RunbookSerializer(runbook_for(id)).data)

    @extend_schema(
        operation_id="runbooks_destroy",
        summary=_("Delete a runbook that never ran"),
        parameters=[RUNBOOK_ID],
        responses={204: None},
    )
    def destroy(self, request: Request, id: str) -> Response:
        delete_configuration(runbook_for(id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="runbooks_versions",
        summary=_("List the versions of a runbook, the newest first"),
        parameters=[RUNBOOK_ID],
        responses=RunbookVersionSerializer(many=True),
    )
    @action(detail=True)
    def versions(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, set())
        found = RunbookVersion.objects.filter(runbook=runbook_for(id)).select_related("created_by")
        return Response(RunbookVersionSerializer(found, many=True).data)

    @extend_schema(
        operation_id="runbooks_release",
        summary=_("Release a paused runbook"),
        parameters=[RUNBOOK_ID, IDEMPOTENCY_KEY],
        request=None,
        responses=ShownRunbookSerializer,
    )
    @action(detail=True, methods=["post"])
    def release(self, request: Request, id: str) -> Response:
        pausing.release(runbook_for(id), by=person(request))
        return Response(RunbookSerializer(runbook_for(id)).data)


class RunbookSecretViewSet(IdempotentWrites, ViewSet):
    """Credentials that steps name; their values are never shown."""

    permission_classes = [IsAdmin]
    lookup_value_regex = NUMBERS
    lookup_url_kwarg = "id"

    @extend_schema(
        operation_id="runbook_secrets_list",
        summary=_("List secrets of runbooks"),
        parameters=SECRETS.parameters,
        responses=paged(RunbookSecretSerializer),
    )
    def list(self, request: Request) -> Response:
        pages = SECRETS.page(request, RunbookSecret.objects.all, asker="anybody")
        return pages.get_paginated_response(RunbookSecretSerializer(pages.rows, many=True).data)

    @extend_schema(
        operation_id="runbook_secrets_create",
        summary=_("Create a secret of runbooks"),
        parameters=[IDEMPOTENCY_KEY],
        request=RunbookSecretSerializer,
        responses={201: RunbookSecretSerializer},
    )
    def create(self, request: Request) -> Response:
        return self._set(request, None, http.HTTP_201_CREATED)

    @extend_schema(
        operation_id="runbook_secrets_retrieve",
        summary=_("Get a secret of runbooks, without its value"),
        parameters=[SECRET_ID],
        responses=RunbookSecretSerializer,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, set())
        return Response(RunbookSecretSerializer(secret_for(id)).data)

    @extend_schema(
        operation_id="runbook_secrets_partial_update",
        summary=_("Update a secret of runbooks"),
        description=_("Another address needs the value again."),
        parameters=[SECRET_ID, IDEMPOTENCY_KEY],
        request=RunbookSecretSerializer,
        responses=RunbookSecretSerializer,
    )
    def partial_update(self, request: Request, id: str) -> Response:
        return self._set(request, secret_for(id), http.HTTP_200_OK)

    @extend_schema(
        operation_id="runbook_secrets_destroy",
        summary=_("Delete a secret of runbooks"),
        parameters=[SECRET_ID],
        responses={204: None},
    )
    def destroy(self, request: Request, id: str) -> Response:
        secrets.remove(secret_for(id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    def _set(self, request: Request, secret: RunbookSecret | None, status: int) -> Response:
        form = RunbookSecretSerializer(instance=secret, data=request.data, partial=secret is not None)
        form.is_valid(raise_exception=True)
        stored = secrets.set_secret(secret, by=person(request), **form.validated_data)
        return Response(RunbookSecretSerializer(stored).data, status=status)


class FreezeWindowViewSet(ConfigurationViewSet):
    """Times in which runs need an administrator's written reason."""

    queryset = FreezeWindow.objects.prefetch_related("teams", "services")
    serializer_class = FreezeWindowSerializer
    permission_classes = [RespondersReadOrAdmin]
    orderings = {"starts_at": [Key("starts_at")], "id": [Key("id")]}
    default_ordering = "starts_at"
    lookup_value_regex = NUMBERS


class StopView(APIView):
    """The global stop of all remediation, which holds until it is released by hand."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="remediation_stop_retrieve",
        summary=_("Get whether remediation is stopped"),
        responses=StopSerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, set())
        return _stop_response(stopping.present_stop())

    @extend_schema(
        operation_id="remediation_stop_create",
        summary=_("Stop all remediation before the next step"),
        request=StopReasonSerializer,
        responses={201: StopSerializer},
    )
    def post(self, request: Request) -> Response:
        form = StopReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        held = stopping.stop(by=person(request), reason=form.validated_data["reason"])
        return _stop_response(held, http.HTTP_201_CREATED)

    @extend_schema(
        operation_id="remediation_stop_destroy",
        summary=_("Release the global stop"),
        description=_("Administrators only."),
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        stopping.release(by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


def _stop_response(held: Stop | None, status: int = http.HTTP_200_OK) -> Response:
    facts = {
        "is_stopped": held is not None,
        "reason": held.reason if held is not None else "",
        "stopped_at": held.stopped_at if held is not None else None,
        "stopped_by": held.stopped_by.name if held is not None and held.stopped_by is not None else "",
    }
    return Response(StopSerializer(facts).data, status=status)
