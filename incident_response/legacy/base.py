"""What all views at the earlier systems' addresses share."""

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from incident_response.legacy.authentication import BearerPersonalToken
from incident_response.legacy.programs import is_browser
from users.authentication import PersonalTokenAuthentication, SessionJWTAuthentication


class Legacy:
    """Mixin, left of a view of the API: takes either token as bearer, and sends browsers to the page."""

    authentication_classes: Any = [BearerPersonalToken, SessionJWTAuthentication, PersonalTokenAuthentication]
    schema: Any = None  # the API's description tells of the API alone
    page = ""  # the console's view

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.page and is_browser(request):
            response: HttpResponseBase = HttpResponseRedirect(self.page_address(request, **kwargs))
        else:
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        if self.page:
            patch_vary_headers(response, ["Accept"])
        return response

    def page_address(self, request: HttpRequest, **kwargs: Any) -> str:
        return with_query(reverse(self.page), request)


def replace_data(request: Request, data: Any) -> None:
    """Let the API's view read this body instead."""
    request._full_data = data  # type: ignore[attr-defined]  # where DRF keeps what it parsed


def rename_limit(request: Request) -> None:
    """Take the earlier systems' `limit` for the size of a page."""
    query = request._request.GET.copy()
    if (limit := query.pop("limit", None)) is not None:
        query.setlist("page_size", limit)
        request._request.GET = query  # type: ignore[assignment]  # of the same kind


def with_query(address: str, request: HttpRequest) -> str:
    query = request.META.get("QUERY_STRING", "")
    return f"{address}?{query}" if query else address
