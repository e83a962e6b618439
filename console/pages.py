"""What every page shares: who may open it, what surrounds it, how refusals read."""

from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any, cast, overload

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ValidationError

from console import navigation, preferences
from console.live.polling import page_position
from console.navigation import ADMINS, EVERYBODY, RESPONDERS
from core.errors import DomainError, PermissionRefused
from notifications.models import Notification
from users.models import User

__all__ = [
    "ADMINS",
    "EVERYBODY",
    "RESPONDERS",
    "back_to",
    "message_of",
    "offer_undo",
    "page",
    "person",
    "query",
    "say",
    "show",
]

OFFERED = "offered"  # in the session
View = Callable[..., HttpResponseBase]


@overload
def page(view: View, /) -> View: ...
@overload
def page(*, roles: frozenset[Any] = ...) -> Callable[[View], View]: ...
def page(view: View | None = None, /, *, roles: frozenset[Any] = EVERYBODY) -> Any:
    """Make a page of a view: for signed-in people of some roles, with refusals as sentences."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            if not is_fragment(request):
                request.live_position = page_position()  # type: ignore[attr-defined]  # before anything is read
            try:
                if person(request).role not in roles:
                    raise PermissionRefused(_("This page is not for your role. An administrator can change your role."))
                response = view(request, *args, **kwargs)
            except (DomainError, APIException) as error:
                response = refused(request, error)
            if not response.has_header("Cache-Control"):
                add_never_cache_headers(response)
            return response

        wrapped.roles = roles  # type: ignore[attr-defined]  # where people land asks for them
        return wrapped

    return decorate(view) if view is not None else decorate


def person(request: HttpRequest) -> User:
    """Return who is signed in."""
    return cast("User", request.user)


def query(request: HttpRequest) -> Any:
    """Return the request as the lists' declarations read it."""
    return SimpleNamespace(
        GET=request.GET,
        query_params=request.GET,
        user=request.user,
        build_absolute_uri=request.build_absolute_uri,
    )


def show(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page, or a fragment of one, with what surrounds it at hand."""
    return render(request, template, {**surroundings(request), **(context or {})}, status=status)


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Return what the layout shows; each is read only where a template uses it."""
    user = person(request)
    return {
        "me": user,
        "navigation": SimpleLazyObject(lambda: list(navigation.entries(user))),
        "preferences": SimpleLazyObject(lambda: preferences.of(user)),
        "unread": SimpleLazyObject(lambda: Notification.objects.unread().filter(user=user).count()),
        "offered": SimpleLazyObject(lambda: request.session.pop(OFFERED, None)),
        "is_fragment": is_fragment(request),
        "live_position": getattr(request, "live_position", None),
        "current_view": request.resolver_match.view_name if request.resolver_match else "",
    }


def is_fragment(request: HttpRequest) -> bool:
    """Return whether a script asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def say(request: HttpRequest, sentence: Any, *, is_problem: bool = False) -> None:
    """Show a sentence on the next page."""
    messages.add_message(request, messages.ERROR if is_problem else messages.SUCCESS, sentence)


def offer_undo(request: HttpRequest, sentence: Any, token: str) -> None:
    """Show a sentence on the next page with a button that undoes what it tells of."""
    request.session[OFFERED] = {"sentence": str(sentence), "token": token}


def back_to(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """Redirect to the local page that the form names, or to another."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_local = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(wanted if is_local else otherwise)


def refused(request: HttpRequest, error: DomainError | APIException) -> HttpResponse:
    """Return a refusal: a page, or a toast where a script asked."""
    status = error.status if isinstance(error, DomainError) else error.status_code
    context = {
        "status": status,
        "sentence": message_of(error),
        "request_id": getattr(request, "request_id", ""),
        "title": getattr(error, "title", "") or _("Not done"),
    }
    if not is_fragment(request):
        return show(request, "console/refused.html", context, status=status)
    response = show(request, "console/_toast.html", {**context, "is_problem": True}, status=status)
    response["HX-Retarget"], response["HX-Reswap"] = "#toasts", "beforeend"
    return response


def message_of(error: DomainError | APIException) -> str:
    """Return an error as one sentence."""
    if isinstance(error, DomainError):
        return error.message
    detail = error.detail
    if isinstance(error, ValidationError) and isinstance(detail, dict):
        return " ".join(f"{name}: {' '.join(map(str, _flat(texts)))}" for name, texts in detail.items())
    return " ".join(map(str, _flat(detail)))


def _flat(detail: Any) -> list[Any]:
    return list(detail) if isinstance(detail, list) else [detail]


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    is_page = request.method in ("GET", "HEAD") and not is_fragment(request)
    back = request.get_full_path() if is_page else request.META.get("HTTP_REFERER", "/")
    is_local = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back if is_local else '/'})}"
    if not is_fragment(request):
        return HttpResponseRedirect(address)
    response = HttpResponse(status=401)
    response["HX-Redirect"] = address
    return response
