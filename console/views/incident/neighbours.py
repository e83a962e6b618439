"""The incidents before and after one in the list that a person came from."""

from types import SimpleNamespace
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from core.api.paging import Key, after, ordering_keys
from incidents import search
from incidents.filters import INCIDENTS
from incidents.models import Incident
from users.models import User

MAX_QUERY = 2000


def neighbours(incident: Incident, viewer: User, query: str) -> tuple[int | None, int | None]:
    """Return the numbers of the incidents before and after, one row each; None at the ends or without a list."""
    if not query or len(query) > MAX_QUERY:
        return None, None
    parameters = QueryDict(query)
    request: Any = SimpleNamespace(query_params=parameters, user=viewer)
    try:
        keys = ordering_keys(request, INCIDENTS)
        rows = INCIDENTS.select(Incident.objects.visible_to(viewer), request, but="q").rows
        back = [key.reversed() for key in keys]
        return _next(rows, back, incident, viewer, parameters), _next(rows, keys, incident, viewer, parameters)
    except ValidationError:
        return None, None


def _next(rows: Any, keys: list[Key], incident: Incident, viewer: User, parameters: QueryDict) -> int | None:
    position = after(keys, [getattr(incident, key.column) for key in keys])

    def ordered() -> Any:
        return rows.filter(position).order_by(*(key.order_by for key in keys))

    if text := parameters.get("q"):
        staff = viewer.is_admin or viewer.is_responder
        found = search.first_matching(ordered, text, limit=1, reads_internal=staff)
        return found[0].pk if found else None
    return next(iter(ordered().values_list("pk", flat=True)[:1]), None)
