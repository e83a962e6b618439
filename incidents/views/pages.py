"""Pages that people look at all day long."""

from collections.abc import Callable, Hashable
from typing import Any

from incident_response.paging import KeysetPagination
from incidents import search
from incidents.filters import CLOCK_FILTERS
from incidents.models import Incident
from users.models import User
from users.prepared import prepared


class PreparedPages(KeysetPagination):
    """Pages whose queries are prepared (see users.prepared), one for each question that is asked.

    `asker` is all of the caller that the queries depend on; the rest is in the query string. `values` are those of the
    queries' parameters.
    """

    def __init__(self, name: str, asker: Hashable, **values: Any) -> None:
        self.name, self.asker, self.values = name, asker, values

    def fetch(self, ordered: Callable[[], Any], limit: int) -> list[Any]:
        return self.ask("page", lambda: ordered()[:limit])

    def ask(self, step: str, build: Callable[[], Any]) -> list[Any]:
        """The rows of one of the page's queries, which selects by `values()`."""
        parameters = self.request.query_params
        if not CLOCK_FILTERS.isdisjoint(parameters):
            return list(build())
        asked = tuple((name, *given) for name, given in parameters.lists())
        return prepared((self.name, step, self.asker, asked), build).dicts(**self.values)


class IncidentPages(PreparedPages):
    """Pages of incidents, found by text where the request has one."""

    def __init__(self, caller: User) -> None:
        super().__init__("incidents", Incident.objects.sight_of(caller))
        self.reads_internal = caller.is_admin or caller.is_responder

    def fetch(self, ordered: Callable[[], Any], limit: int) -> list[Any]:
        text = self.request.query_params.get("q")
        if not text:
            return super().fetch(ordered, limit)
        return search.first_matching(ordered, text, limit=limit, reads_internal=self.reads_internal, ask=self.ask)
