"""Rate limits of anonymous callers."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from core.api.clients import client_network
from core.errors import TooManyRequests


@dataclass(frozen=True)
class Scope:
    """Stands in for a view where a function is limited."""

    throttle_scope: str


def refuse_flood(request: HttpRequest, scope: str) -> None:
    """Raise TooManyRequests where one client asks too often."""
    rate = AddressRate()
    if not rate.allow_request(request, Scope(scope)):
        raise TooManyRequests(_("Too many attempts; try again later."), retry_after=int(rate.wait() or 1))


class AddressRate(SimpleRateThrottle):
    """A rate per client and process, by the view's `throttle_scope`."""

    def __init__(self) -> None:
        """Do nothing: the rate depends on the view."""

    def allow_request(self, request: Request | HttpRequest, view: Any) -> bool:
        self.scope = view.throttle_scope
        self.rate = settings.RATES_PER_ADDRESS.get(self.scope)
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)  # type: ignore[arg-type]  # plain pages ask too

    def get_cache_key(self, request: Request | HttpRequest, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": client_network(getattr(request, "_request", request))}
