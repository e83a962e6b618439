"""Incidents as responses: one in full, or a page of them."""

from typing import Any

from django.utils import timezone
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from core.api.problems import moment_of
from core.db import rows
from core.db.prepared import Parameter
from incidents.models import Attachment, Incident
from incidents.permissions import can_work_on
from incidents.representation import row_of, serialize_page, serialize_row, service_slugs
from incidents.serializers.attachments import serialize_attachment
from incidents.services.standing import state_at
from incidents.workflow import allowed_transitions
from users.authentication import person


def incident_response(
    incident: Incident | dict[str, Any],
    request: Request,
    *,
    status: int = http.HTTP_200_OK,
    services: list[str] | None = None,
    files: list[Attachment] | None = None,
) -> Response:
    """Return the incident (or its row) in full, with its entity tag.

    `services` (slugs, in order) and `files` are read where they are not at hand.
    """
    row = row_of(incident) if isinstance(incident, Incident) else incident
    slugs = services if services is not None else service_slugs([row["id"]])[row["id"]]
    transitions = allowed_transitions(row["status"]) if can_work_on(person(request), row["team_id"]) else []
    body = serialize_row(row, slugs, transitions, base_url(request), timezone.now())
    attached = _files_of(row["id"]) if files is None else files
    body["attachments"] = [serialize_attachment(attachment, request) for attachment in attached]
    return Response(body, status=status, headers={"ETag": f'"{body["version"]}"'})


def incident_page(rows: Any, request: Request) -> list[dict[str, Any]]:
    """Return the rows of a page as the caller sees them."""
    return serialize_page(rows, viewer=person(request), base_url=base_url(request))


def base_url(request: Request) -> str:
    """Return where incidents live, such as https://host/api/v1/incidents/."""
    return str(reverse("incident-list", request=request))


def _files_of(incident_id: int) -> list[Attachment]:
    of_incident = Attachment.objects.filter(incident=Parameter("incident"))
    return rows.select(Attachment, "of an incident", lambda: of_incident, incident=incident_id)


def incident_as_of(incident: Incident, request: Request) -> dict[str, Any]:
    """Return the incident as it stood at `as_of`, folded from the events that had happened by then."""
    moment = moment_of("as_of", request.query_params["as_of"])
    state = state_at(incident, moment)
    return {
        "id": incident.pk,
        "uid": incident.uid,
        "reference": incident.reference,
        "as_of": moment,
        **{name: state[name] for name in ("title", "description", "status", "severity", "priority", "category")},
        **{name: state[name] for name in ("location", "services", "is_restricted", "reopen_count")},
        **{name: (state[name] or {}).get("id") for name in ("team", "assignee", "reporter")},
        "source": state["origin_system"],
        **{name: state[name] for name in ("occurred_at", "created_at", "acknowledged_at", "resolved_at", "closed_at")},
        "updated_at": state["updated_at"],
        "sla": {
            **{name: state[name] for name in ("ack_due_at", "resolve_due_at", "ack_breached", "resolve_breached")},
            "paused": state["paused_at"] is not None,
        },
        "url": f"{base_url(request)}{incident.pk}/",
    }
