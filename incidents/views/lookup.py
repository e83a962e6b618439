"""From the `{id}` in an address to the incident."""

import re
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.db.prepared import Parameter, prepared
from incidents.models import Incident
from incidents.permissions import absent
from incidents.representation import rows_of

INCIDENT_ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description=_("Number or reference."))
NUMBER = re.compile(r"^(?:INC-)?(\d{1,18})$", re.IGNORECASE)


def incident_for(request: Request, id: str) -> Incident:
    """Return the incident of a number or reference; NotFound if absent or invisible."""
    return one_of(Incident.objects.visible_to(request.user), id)


def one_of(incidents: models.QuerySet[Incident], id: str) -> Incident:
    """Return the incident of a number or reference among these."""
    incident = incidents.filter(pk=number_of(id)).select_related("category", "team").order_by().first()
    if incident is None:
        raise absent(f"Incident {id}")
    return incident


def row_for(request: Request, id: str) -> dict[str, Any]:
    """Return the incident's row for serialization, as `incident_for`."""
    caller: Any = request.user  # signed in: permissions were checked before
    incidents = Incident.objects

    def visible() -> Any:
        return rows_of(incidents.visible_to(caller).filter(pk=Parameter("pk")).order_by())

    rows = prepared(("incident", incidents.visibility_key(caller)), visible).dicts(pk=number_of(id))
    if not rows:
        raise absent(f"Incident {id}")
    return rows[0]


def number_of(id: str) -> int:
    """Return the number of a number or reference; NotFound for anything else."""
    match = NUMBER.match(id)
    if match is None:
        raise absent(f"Incident {id}")
    return int(match.group(1))
