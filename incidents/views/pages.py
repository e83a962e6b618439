"""Pages of incidents, found by text where the request has one."""

from collections.abc import Callable
from typing import Any

from core.api.listing import ListPages
from incidents import search


class IncidentPages(ListPages):
    """The page of incidents that a request asks for."""

    but = "q"

    def fetch_rows(self, step: str, build: Callable[[], Any]) -> list[Any]:
        return self.ask(step, build)  # columns that are chosen by their serializer

    def fetch(self, ordered: Callable[[], Any], limit: int) -> list[Any]:
        text, user = self.request.query_params.get("q"), self.request.user
        if not text:
            return super().fetch(ordered, limit)
        reads_internal = user.is_admin or user.is_responder
        return search.first_matching(ordered, text, limit=limit, reads_internal=reads_internal, ask=self.ask)
