from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.landing import landing
from console.pages import show
from core.errors import DomainError, NotFound
from users.oidc import protocol
from users.oidc.providers import Provider
from users.services import entering, identities
from users.throttling import refuse_flood

ASKED = "oidc_asked"
MOST_ASKED = 5  # tabs of one browser


@never_cache
@require_safe
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Send to the provider: by a link, since the policy allows forms to lead nowhere else."""
    try:
        refuse_flood(request, "sign_in_start")
        provider = _provider(name)
        address, asked = protocol.ask(
            provider, request.build_absolute_uri(reverse("console:oidc-callback", args=[name]))
        )
    except DomainError as error:
        return _refused(request, error)
    waiting: dict[str, Any] = request.session.get(ASKED) or {}
    kept = dict(list(waiting.items())[1 - MOST_ASKED :])
    request.session[ASKED] = {**kept, asked.state: {**asdict(asked), "name": name, "next": request.GET.get("next", "")}}
    return HttpResponseRedirect(address)


@never_cache
@require_safe
def callback(request: HttpRequest, name: str) -> HttpResponse:
    try:
        provider = _provider(name)
        asked, wanted = _asked(request, provider)
        identity = protocol.identify(provider, asked, request.GET.get("code", ""))
        user = entering.proceed(request, identities.person_of(provider, identity), next=wanted)
    except DomainError as error:
        return _refused(request, error)
    if user is None:
        return HttpResponseRedirect(reverse("console:sign-in-code"))
    return HttpResponseRedirect(landing(request, user, wanted))


def _provider(name: str) -> Provider:
    provider = settings.OIDC_PROVIDERS.get(name)
    if provider is None:
        raise NotFound(_("There is no such identity provider."))
    return provider


def _asked(request: HttpRequest, provider: Provider) -> tuple[protocol.Asked, str]:
    waiting: dict[str, Any] = request.session.get(ASKED) or {}
    kept = waiting.pop(request.GET.get("state", ""), None)
    request.session[ASKED] = waiting
    if kept is None or kept.pop("name") != provider.name:
        raise protocol.IdentityRefused(provider, "an answer that was not asked for")
    if request.GET.get("iss", provider.issuer) != provider.issuer:
        raise protocol.IdentityRefused(provider, "an answer of another issuer")
    if "error" in request.GET or not request.GET.get("code"):
        raise protocol.IdentityRefused(provider, f"error {request.GET.get('error', '')[:100]!r}")
    wanted = str(kept.pop("next"))
    return protocol.Asked(**kept), wanted


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    return show(request, "console/sign_in/refused.html", {"sentence": error.message}, status=error.status)


urlpatterns = [
    path("sign-in/oidc/<slug:name>/", start, name="oidc"),
    path("sign-in/oidc/<slug:name>/callback/", callback, name="oidc-callback"),
]
