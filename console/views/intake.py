"""What senders sent: the list, one request, and replays."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from alerts.models import Alert
from console.lists import links_of, without_empty
from console.pages import ADMINS, back_to, page, query, say, show
from core.errors import Conflict, NotFound
from intake.filters import INTAKE_EVENTS
from intake.models import IntakeEvent, Source
from intake.serializers import MOST_AT_ONCE, IntakeEventDetailSerializer, ReplaySerializer
from intake.services.queue import REPLAYABLE, may_replay, replay, replayable
from intake.vocabulary import IntakeState

MOST_SOURCES = 200
MOST_ALERTS = 10
SHOWN_LENGTH = 100_000


@page(roles=ADMINS)
def events(request: HttpRequest) -> HttpResponse:
    if (elsewhere := without_empty(request)) is not None:
        return elsewhere
    pages = INTAKE_EVENTS.page(query(request), IntakeEvent.objects.all, asker=None)
    state, chosen = request.GET.get("state", ""), request.GET.get("source", "")
    names = dict(Source.objects.filter(pk__in={row["source_id"] for row in pages.rows}).values_list("pk", "name"))
    context = {
        "events": [{**row, "source": names.get(row["source_id"], "")} for row in pages.rows],
        "pages": links_of(pages),
        "states": IntakeState.choices,
        "state": state,
        "source": chosen,
        "sources": Source.objects.values_list("pk", "name")[:MOST_SOURCES],
        "may_replay_all": state in {one.value for one in REPLAYABLE},
    }
    return show(request, "console/sources/events.html", context)


@page(roles=ADMINS)
def event(request: HttpRequest, pk: int) -> HttpResponse:
    found = _event(pk)
    shown = IntakeEventDetailSerializer(found).data
    alerts = Alert.objects.filter(source=found.source_id).select_related("incident").order_by("-last_seen_at")
    context = {
        "event": found,
        "body": shown["body"][:SHOWN_LENGTH],
        "is_cut": len(shown["body"]) > SHOWN_LENGTH,
        "is_text": shown["body_encoding"] == "text",
        "may_replay": may_replay(found),
        "alerts": alerts[:MOST_ALERTS] if found.alert_count else [],
    }
    return show(request, "console/sources/event.html", context)


@page(roles=ADMINS)
@require_POST
def replay_event(request: HttpRequest, pk: int) -> HttpResponse:
    found = _event(pk)
    if not replay([found.pk]):
        raise Conflict(_("Only what failed, was dropped or held no alert can be replayed."), code="not_replayable")
    say(request, _("It is processed again."))
    return back_to(request, reverse("console:intake-event", args=[found.pk]))


@page(roles=ADMINS)
@require_POST
def replay_events(request: HttpRequest) -> HttpResponse:
    """Replay the oldest of a state, all sources' or one's."""
    asked = {name: request.POST[name] for name in ("state", "source") if request.POST.get(name)}
    form = ReplaySerializer(data=asked)
    form.is_valid(raise_exception=True)
    rows = replayable().filter(**form.validated_data).order_by("id").values_list("pk", flat=True)
    count = replay(list(rows[:MOST_AT_ONCE]))
    say(
        request,
        ngettext("%(count)d event is processed again.", "%(count)d events are processed again.", count)
        % {"count": count},
    )
    return redirect("console:intake-events")


def _event(pk: int) -> IntakeEvent:
    found = IntakeEvent.objects.select_related("source").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Intake event %(id)s does not exist; events are kept for a limited time.") % {"id": pk})
    return found


urlpatterns = [
    path("sources/events/", events, name="intake-events"),
    path("sources/events/replay/", replay_events, name="intake-events-replay"),
    path("sources/events/<int:pk>/", event, name="intake-event"),
    path("sources/events/<int:pk>/replay/", replay_event, name="intake-event-replay"),
]
