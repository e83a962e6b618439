"""Pages that people look at all day long."""

from collections.abc import Callable, Hashable
from typing import Any

from django.db.models import IntegerField, Model

from core.api.paging import KeysetPagination
from core.db.prepared import Parameter, prepared
from incidents import search
from incidents.filters import CLOCK_FILTERS
from incidents.models import Incident
from users.models import User

MOST = 2**63 - 1  # and a row has no more


class PreparedPages(KeysetPagination):
    """Pages whose queries are prepared (see core.db.prepared), one for each question that is asked.

    `asker` is all of the caller that the queries depend on; the rest is in the query string. `values` are those of the
    queries' parameters. Those of a cursor are parameters, too: every page of a list is the same query.
    """

    def __init__(self, name: str, asker: Hashable, **values: Any) -> None:
        self.name, self.asker, self.values = name, asker, values
        self.position: Hashable = None  # what the query depends on of a cursor

    def bound(self, position: list[Any], model: type[Model]) -> list[Any]:
        position = [max(-MOST, min(value, MOST)) if isinstance(value, int) else value for value in position]
        self.position = (self.is_backwards, *(value is None for value in position))
        self.values |= {f"after_{number}": value for number, value in enumerate(position)}
        fields: list[Any] = [model._meta.get_field(key.column) for key in self.keys]
        # Whole numbers go as they are: a primary key's field refuses those that no row has.
        sent = [None if isinstance(field, IntegerField) else field for field in fields]
        return [
            None if value is None else Parameter(f"after_{number}", field, value=value)
            for number, (field, value) in enumerate(zip(sent, position, strict=True))
        ]

    def fetch(self, ordered: Callable[[], Any], limit: int) -> list[Any]:
        return self.ask("page", lambda: ordered()[:limit])

    def ask(self, step: str, build: Callable[[], Any]) -> list[Any]:
        """The rows of one of the page's queries, which selects by `values()`."""
        parameters = self.request.query_params
        if not CLOCK_FILTERS.isdisjoint(parameters):
            return list(build())
        asked = tuple((name, *given) for name, given in parameters.lists() if name != "cursor")
        return prepared((self.name, step, self.asker, self.position, asked), build).dicts(**self.values)


class IncidentPages(PreparedPages):
    """Pages of incidents, found by text where the request has one."""

    def __init__(self, caller: User) -> None:
        super().__init__("incidents", Incident.objects.visibility_key(caller))
        self.reads_internal = caller.is_admin or caller.is_responder

    def fetch(self, ordered: Callable[[], Any], limit: int) -> list[Any]:
        text = self.request.query_params.get("q")
        if not text:
            return super().fetch(ordered, limit)
        return search.first_matching(ordered, text, limit=limit, reads_internal=self.reads_internal, ask=self.ask)
