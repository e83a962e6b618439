"""What subscribers open: forms of the page and links of mails. GET changes nothing, since mail scanners open links."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.errors import DomainError, PermissionRefused, TooManyRequests
from status_page import access
from status_page.addresses import page_url
from status_page.letters import said
from status_page.models import Component, StatusPage, Subscriber
from status_page.rendering.editions import Edition
from status_page.rendering.site import assets
from status_page.services import subscribing
from status_page.services.page import languages_of, the_page
from status_page.services.snapshot import page_as_shown
from status_page.services.subscribing import Request
from status_page.serving import preferred
from users.throttling import refuse_flood

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Choices:
    """What a form offers, and what of it is chosen."""

    components: list[tuple[int, str, bool]]
    languages: list[tuple[str, str, bool]]


def spoken(view: View) -> View:
    """Speak the page's language that was asked for; answer refusals with a page.

    The form stands in a file, which cannot hold a CSRF token: nothing here trusts a session.
    """

    @never_cache
    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        page = the_page()
        with translation.override(_language(request, page)):
            try:
                return view(request, page, **kwargs)
            except DomainError as error:
                answer = _show(request, page, _("Not done"), error.message, status=error.status)
                if isinstance(error, TooManyRequests):
                    answer["Retry-After"] = str(error.retry_after)
                return answer

    return wrapped


@spoken
def subscribe(request: HttpRequest, page: StatusPage) -> HttpResponse:
    """Take the form of the page."""
    if request.method != "POST":
        return HttpResponseRedirect(page_url(f"{translation.get_language()}/subscribe.html"))
    refuse_flood(request, "subscribe")
    _require_let_in(request, page)
    language = request.POST.get("language", "") or translation.get_language() or ""
    wanted = Request(request.POST.get("email", ""), language, _components(request))
    subscribing.subscribe(wanted, now=timezone.now())
    sentence = _("If the address can get mail, a message is on its way. Open its link within 3 days and confirm.")
    return _show(request, page, _("Look into your mailbox"), sentence)


@spoken
def confirm(request: HttpRequest, page: StatusPage, token: str) -> HttpResponse:
    if request.method == "POST":
        subscriber = subscribing.confirm(token, now=timezone.now())
        with translation.override(subscriber.language):
            sentence = _("%(address)s is told of updates from now on. Each mail has a link that ends this.")
            return _show(request, page, _("Confirmed"), sentence % {"address": subscriber.email})
    subscriber = subscribing.confirmable(token, now=timezone.now())
    with translation.override(subscriber.asked.get("language") or subscriber.language):
        sentence = _("Updates are sent to %(address)s once you confirm.") % {"address": subscriber.email}
        return _show(request, page, _("Confirm your subscription"), sentence, button=_("Confirm"))


@spoken
def manage(request: HttpRequest, page: StatusPage, token: str) -> HttpResponse:
    if request.method == "POST":
        subscriber = subscribing.choose(
            token, components=_components(request), language=request.POST.get("language", "")
        )
        with translation.override(subscriber.language):
            return _show(request, page, _("Saved"), _("The next mail follows your choice."))
    subscriber = subscribing.managed(token)
    with translation.override(subscriber.language):
        choices = _choices(page, subscriber)
        return _show(request, page, _("Your subscription"), subscriber.email, choices=choices, button=_("Save"))


@spoken
def unsubscribe(request: HttpRequest, page: StatusPage, token: str) -> HttpResponse:
    """End a subscription, also for mail programs that do it with one click (RFC 8058)."""
    subscriber = (
        subscribing.unsubscribe(token, now=timezone.now()) if request.method == "POST" else subscribing.managed(token)
    )
    address = {"address": subscriber.email}
    with translation.override(subscriber.language):
        if request.method == "POST":
            sentence = _("%(address)s gets no more mails from this page.") % address
            return _show(request, page, _("Unsubscribed"), sentence)
        sentence = _("%(address)s will get no more mails from this page.") % address
        return _show(request, page, _("Unsubscribe?"), sentence, button=_("Unsubscribe"))


def _require_let_in(request: HttpRequest, page: StatusPage) -> None:
    """Refuse whoever may not open a private page: its mails say what it says."""
    if page.is_private and not access.is_pass(
        request.COOKIES.get(access.COOKIE, ""), page.access_digest, timezone.now()
    ):
        raise PermissionRefused(_("This page is private"))


def _choices(page: StatusPage, subscriber: Subscriber) -> Choices:
    chosen = set(subscriber.components.values_list("pk", flat=True))
    language = translation.get_language() or ""
    return Choices(
        [
            (one.pk, said(one.name, one.translations, language, "name"), one.pk in chosen)
            for one in Component.objects.active()
        ],
        [(code, get_language_info(code)["name_local"], code == subscriber.language) for code in languages_of(page)],
    )


def _components(request: HttpRequest) -> list[int]:
    """Return the ids that were ticked. Raises DomainError."""
    try:
        return [int(text) for text in request.POST.getlist("components") if len(text) < 19]
    except ValueError as error:
        raise DomainError(_("Choose components of the list."), field="components") from error


def _language(request: HttpRequest, page: StatusPage) -> str:
    """Return the language of the form, or of the page's that the browser prefers."""
    wanted, languages = request.POST.get("language", ""), languages_of(page)
    return wanted if wanted in languages else preferred(request.headers.get("Accept-Language", ""), languages)


def _show(
    request: HttpRequest,
    page: StatusPage,
    title: str,
    sentence: str,
    *,
    button: str = "",
    choices: Choices | None = None,
    status: int = 200,
) -> HttpResponse:
    whole = page_as_shown(page)
    language = translation.get_language() or whole.languages[0]
    names, _files = assets(whole)
    edition = Edition(whole, names, language, f"{language}/", "", urlsplit(whole.url).path or "/")
    context = {"title": title, "sentence": sentence, "button": button, "choices": choices}
    if page.is_private and status >= HTTPStatus.BAD_REQUEST:  # tells strangers nothing, not even its name
        context |= {"name": _("Private page"), "plain_name": _("Private page"), "logo": ""}
    answer = render(request, "status_page/answer.html", {**edition.context(), **context}, status=status)
    answer["Content-Language"] = language
    return answer
