"""Browsers signed in by cookie: which they are, and ending them."""

from django.contrib.sessions.models import Session as CookieSession
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.api.clients import client_address, client_name
from core.db.transactions import unit_of_work
from users.models import BrowserSession, User


def note_browser(request: HttpRequest, user: User) -> None:
    """Remember whose this request's cookie is."""
    BrowserSession.objects.create(
        user=user,
        session_key=key_of(request),
        user_agent=client_name(request),
        ip_address=client_address(request),
    )


def key_of(request: HttpRequest) -> str:
    """Return the key of the cookie's session, saved if it is new."""
    if not request.session.session_key:
        request.session.save()
    return str(request.session.session_key)


def browsers_of(user: User) -> QuerySet[BrowserSession]:
    """Return those whose cookie is still good."""
    good = CookieSession.objects.filter(expire_date__gt=timezone.now())
    return BrowserSession.objects.filter(user=user, session_key__in=good.values("session_key"))


@unit_of_work
def end_browser_sessions(user: User, *, only: int | None = None, but_key: str = "") -> int:
    """End and count browsers' sessions (`only` one by its id, or all but one by its key)."""
    rows = BrowserSession.objects.filter(user=user)
    if only is not None:
        rows = rows.filter(pk=only)
    keys = list(rows.exclude(session_key=but_key).values_list("session_key", flat=True))
    CookieSession.objects.filter(session_key__in=keys).delete()
    return BrowserSession.objects.filter(session_key__in=keys).delete()[0]
