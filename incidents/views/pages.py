"""Pages of incidents, found by text where the request has one."""

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request

from core.api.listing import ListPages
from core.api.paging import KeysetPagination
from incidents import search
from incidents.filters import INCIDENTS
from incidents.models import Incident
from users.models import User


class IncidentPages(ListPages):
    """The page of incidents that a request asks for."""

    def __init__(self, caller: User, request: Request) -> None:
        INCIDENTS.refuse_unknown(request, also=KeysetPagination.parameters)
        super().__init__(INCIDENTS, Incident.objects.visibility_key(caller), request, but="q")
        self.reads_internal = caller.is_admin or caller.is_responder

    def fetch_rows(self, step: str, build: Callable[[], Any]) -> list[Any]:
        return self.ask(step, build)  # columns that are chosen by their serializer

    def fetch(self, ordered: Callable[[], Any], limit: int) -> list[Any]:
        text = self.request.query_params.get("q")
        if not text:
            return super().fetch(ordered, limit)
        return search.first_matching(ordered, text, limit=limit, reads_internal=self.reads_internal, ask=self.ask)
