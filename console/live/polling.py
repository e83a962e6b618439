"""The same events for pages that cannot hold a stream open, and where in the feed a page was made."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from console.live import asgi
from console.live.entries import read_entries
from console.live.inbox import unread_of
from console.live.reading import REPLAY_MOST
from console.live.viewers import Viewer
from core.api.jsonio import to_json
from core.api.problems import problem
from core.errors import DomainError, NotSignedIn
from core.severity import WORD_OF_SEVERITY
from incidents.models import Incident, Status
from incidents.services import feed
from responders.models import Membership
from users.models import User

POLL_SECONDS = 5
MOST_ALARMS = 200


@require_GET
def poll(request: HttpRequest) -> HttpResponse:
    """Return what happened after a place of the feed."""
    viewer = _viewer(request)
    if viewer is None:
        return _refused(NotSignedIn(_("Sign in first.")))
    return _json(_news(viewer, request.GET.get("after", "")))


@require_GET
def alarms(request: HttpRequest) -> HttpResponse:
    """Return what nobody has acknowledged yet, and whose it is."""
    viewer = _viewer(request)
    if viewer is None:
        return _refused(NotSignedIn(_("Sign in first.")))
    shown = (
        Incident.objects.visible_to(viewer.user).filter(status=Status.OPEN, is_open=True).order_by("-severity", "id")
    )
    rows = shown.values_list("pk", "severity", "team_id", "assignee_id")[:MOST_ALARMS]
    names = ("incident", "severity", "team", "assignee")
    found = [dict(zip(names, (pk, WORD_OF_SEVERITY[severity], *rest), strict=True)) for pk, severity, *rest in rows]
    return _json({"teams": sorted(Membership.objects.team_ids_of(viewer.user)), "incidents": found})


@require_GET
def no_stream(request: HttpRequest) -> HttpResponse:
    """Answer where the server has no event loop: pages poll then."""
    if _viewer(request) is None:
        return _refused(NotSignedIn(_("Sign in first.")))
    return _refused(NoStreams(_("This server keeps no streams open.")))


class NoStreams(DomainError):
    status = 501
    code = "no_streams"
    title = "No streams"


def page_position() -> int:
    """Return a place in the feed whose events a page made from now on shows already."""
    known = asgi.position()
    return feed.head() if known is None else known


def _viewer(request: HttpRequest) -> Viewer | None:
    user, person = request.user, request.GET.get("person", "")
    if not isinstance(user, User) or person not in ("", str(user.pk)):
        return None
    return Viewer(request.session.session_key or "", user)


def _news(viewer: Viewer, after: str) -> dict[str, Any]:
    head, place = feed.head(), asgi.number(after)
    known = {"unread": unread_of({viewer.user.pk})[viewer.user.pk], "seconds": POLL_SECONDS}
    if not after:
        return {**known, "feed_seq": head, "events": [], "is_resync": False}
    if place is None or not place <= head <= place + REPLAY_MOST:
        return {**known, "feed_seq": head, "events": [], "is_resync": True}
    entries = read_entries(place, REPLAY_MOST, {viewer.language}) if place < head else []
    told = [facts for entry in entries if (facts := entry.told(viewer)) is not None]
    return {**known, "feed_seq": entries[-1].seq if entries else head, "events": told, "is_resync": False}


def _json(content: Any) -> HttpResponse:
    return HttpResponse(to_json(content), content_type="application/json", headers={"Cache-Control": "no-store"})


def _refused(error: DomainError) -> HttpResponse:
    body = to_json(problem(error.status, error.message, code=error.code, title=error.title))
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(body, status=error.status, content_type="application/problem+json", headers=headers)


urlpatterns = [
    path("live/", no_stream, name="live"),
    path("live/poll/", poll, name="live-poll"),
    path("live/alarms/", alarms, name="live-alarms"),
]
