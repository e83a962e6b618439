"""The page behind the link in a page's mail: it shows the incident, and its button acknowledges."""

from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils.decorators import decorator_from_middleware, method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import DomainError
from core.severity import Severity
from core.text.languages import stored
from core.text.sentences import shown
from incidents.models import Incident, Status
from incidents.permissions import can_see
from notifications.channels.port import channel_of
from notifications.models import AnswerToken
from notifications.services.answers import ACKNOWLEDGE, Answer, answer
from notifications.services.tokens import find_answer_token, use
from notifications.vocabulary import Purpose

# The address is the secret: it is kept out of other sites, caches, indexes and logs.
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
POLICY = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}


class Refusal(Exception):
    """Why a link does nothing."""

    def __init__(self, title: str, sentence: str, status: int, incident: Incident | None = None) -> None:
        super().__init__(title)
        self.title, self.sentence, self.status, self.incident = title, sentence, status, incident


class TokenCsrf(CsrfViewMiddleware):
    """Django's check of the form's token; pages without a referrer have no origin to check."""

    def _origin_verified(self, request: HttpRequest) -> bool:
        return request.META["HTTP_ORIGIN"] == "null" or bool(super()._origin_verified(request))  # type: ignore[misc]

    def _check_referer(self, request: HttpRequest) -> None:
        if request.META.get("HTTP_REFERER"):
            super()._check_referer(request)  # type: ignore[misc]

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        """Answer without logging the address, as Django would."""
        refusal = Refusal(_("Not acknowledged"), _("Open the link again and press the button there."), 403)
        return _page(request, refusal=refusal)


@method_decorator(
    [csrf_exempt, csp(POLICY), decorator_from_middleware(TokenCsrf)],  # exempt from the site's own middleware only
    name="dispatch",
)
class AnswerPage(View):
    """Shows the incident of a link; acknowledges it on POST only, since mail scanners open links."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            return _page(request, incident=_usable(token).incident)
        except Refusal as refusal:
            return _page(request, refusal=refusal)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            done = _acknowledge(token)
        except Refusal as refusal:
            return _page(request, refusal=refusal)
        return _page(request, incident=done.incident, done=shown(done.text))


@unit_of_work
def _acknowledge(text: str) -> Answer:
    """Use the link up and acknowledge, both or neither. Raises Refusal."""
    token = _usable(text)
    if not use(token, database_now()):
        raise _used(token)
    channel = channel_of(token.delivery.channel) if token.delivery else None
    with stored():
        channel_name = str(channel.label) if channel else "Link"
    try:
        return answer(
            token.user,
            token.incident_id,
            ACKNOWLEDGE,
            channel_name=channel_name,
            delivery=token.delivery,
        )
    except DomainError as error:
        raise Refusal(_("Not acknowledged"), error.message, error.status) from error


def _usable(text: str) -> AnswerToken:
    """Return the token of a link that would acknowledge. Raises Refusal."""
    token = find_answer_token(text)
    if token is None or token.purpose != Purpose.LINK:
        sentence = _("It is older than 24 hours, or it is not complete. Sign in to see the incident.")
        raise Refusal(_("This link has expired"), sentence, 404)
    if not token.user.is_active:
        raise Refusal(_("This account is deactivated"), _("Its links do nothing any more."), 403)
    if not can_see(token.user, token.incident):
        sentence = _("The incident was deleted, or is not for you to see any more.")
        raise Refusal(_("This link leads nowhere now"), sentence, 404)
    if token.used_at is not None:
        raise _used(token)
    return token


def _used(token: AnswerToken) -> Refusal:
    sentence = _("Each link works once; nothing was changed now.")
    return Refusal(_("This link was used before"), sentence, 410, token.incident)


def _page(
    request: HttpRequest, *, incident: Incident | None = None, done: str = "", refusal: Refusal | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"done": done, "refusal": refusal, "incident": refusal.incident if refusal else incident}
    if context["incident"] is not None:
        context["severity"] = Severity(context["incident"].severity)
        context["status"] = Status(context["incident"].status).label
        context["is_open"] = context["incident"].status == Status.OPEN
    response = render(request, "notifications/answer.html", context, status=refusal.status if refusal else 200)
    for name, value in HEADERS.items():
        response[name] = value
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the address of a 4xx
    return response
