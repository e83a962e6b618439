"""Sources: the list, setting one up until its first event, keys, words and tests."""

import shlex
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from alerts import validation
from alerts.endpoints.sampling import process_sample, send_sample
from alerts.models import Alert
from alerts.serializers.sources import SourceSerializer
from alerts.services.teaching import teach
from alerts.services.words import prune_known, still_unknown
from console.configuration import refusals_on, store, write
from console.forms.sources import NewSourceForm, SourceForm, initial_of
from console.lists import keyset_page, links_of
from console.pages import ADMINS, page, person, say, show
from core.db.deleting import delete_configuration
from core.db.transactions import unit_of_work
from core.errors import DomainError, NotFound
from core.severity import SEVERITY_OF_WORD
from intake.models import IntakeEvent, Source, SourceKey, UnknownWord
from intake.readers import example_request, examples, kinds, payload_readers
from intake.services import new_keys
from intake.services.guides import guide_of, guide_text
from intake.services.queue import may_replay
from intake.services.sources import MAX_KEYS, clear_cache, create_key, revoke_key, snippet_for
from intake.vocabulary import LOGS, IntakeState, MappedField
from logs.models import LogEntry
from logs.services.rules import SOURCE_NAME
from users.models import User

MOST_FAILED = 1000
LATEST = 10
LONGEST_TRIAL = 4000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MEANINGS = {
    MappedField.STATUS.value: tuple(validation.STATUS_MEANINGS),
    MappedField.SEVERITY.value: tuple(reversed(SEVERITY_OF_WORD)),
}


@page(roles=ADMINS)
def sources(request: HttpRequest) -> HttpResponse:
    firing = Alert.objects.firing().filter(source=OuterRef("pk"))
    rows = Source.objects.select_related("team").annotate(fires=Exists(firing.order_by()))
    pages = keyset_page(request, rows, by="name")
    troubling = IntakeEvent.objects.troubling().order_by("-id").values_list("source_id", flat=True)
    failing = set(troubling[:MOST_FAILED])
    now = timezone.now()
    shown = [
        {
            "row": row,
            "has_failed": row.pk in failing,
            "is_silent": _is_silent(row, now),
            "is_ours": row.name == SOURCE_NAME,  # nobody sends to it
        }
        for row in pages.rows
    ]
    return show(request, "console/sources/list.html", {"sources": shown, "pages": links_of(pages)})


@page(roles=ADMINS)
def new_source(request: HttpRequest) -> HttpResponse:
    kind, words = request.GET.get("kind", ""), request.GET.get("q", "").casefold().split()
    titles = dict(kinds())
    if kind not in titles:
        offered = [(name, title) for name, title in titles.items() if all(word in title.casefold() for word in words)]
        return show(request, "console/sources/kinds.html", {"kinds": offered, "q": request.GET.get("q", "")})
    form = NewSourceForm(request.POST or None, initial={"name": titles[kind]})
    if form.is_valid() and (source := _make(request, form, kind)) is not None:
        return redirect("console:source-setup", source.pk)
    context = {"form": form, "kind": kind, "title": titles[kind], "guide": guide_text(kind, url=address_of(request))}
    return show(request, "console/sources/new.html", context, status=422 if form.errors else 200)


def _make(request: HttpRequest, form: NewSourceForm, kind: str) -> Source | None:
    with refusals_on(form):
        source, key = _create(person(request), {**form.as_api(), "kind": kind})
        new_keys.remember(request, source, key)
        return source
    return None


@unit_of_work
def _create(by: User, data: dict[str, Any]) -> tuple[Source, str]:
    source: Source = write(SourceSerializer, data, by=by)
    return source, create_key(source, by=by)[1]


@page(roles=ADMINS)
def source(request: HttpRequest, pk: int) -> HttpResponse:
    found = _source(pk)
    keys = list(found.keys.all())
    events = IntakeEvent.objects.filter(source=found).order_by("-id").defer("body", "headers")
    context = {
        "source": found,
        "is_silent": _is_silent(found, timezone.now()),
        "keys": keys,
        "may_have_key": len(keys) < MAX_KEYS,
        "words": [(word, MEANINGS[word.field]) for word in still_unknown(found)],
        "has_sample": found.kind in payload_readers(),
        "events": events[:LATEST],
        "alerts": Alert.objects.filter(source=found).order_by("-last_seen_at")[:LATEST],
    }
    return show(request, "console/sources/detail.html", context)


@page(roles=ADMINS)
def edit_source(request: HttpRequest, pk: int) -> HttpResponse:
    found = _source(pk)
    form = SourceForm(request.POST or None, initial=initial_of(found))
    if form.is_valid() and store(form, SourceSerializer, form.as_api(), by=person(request), instance=found):
        prune_known(found)
        clear_cache()
        say(request, _("Saved."))
        return redirect("console:source", found.pk)
    context = {"form": form, "source": found}
    return show(request, "console/sources/form.html", context, status=422 if form.errors else 200)


@page(roles=ADMINS)
def setup(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the sender needs, the key while it may be seen, and what arrives."""
    found, url = _source(pk), address_of(request)
    key = new_keys.recall(request, found)
    if request.method == "POST":
        new_keys.drop(request, found)
        return redirect("console:source", found.pk)
    context = {
        "source": found,
        "key": key,
        "url": url,
        "is_local": urlsplit(url).hostname in LOOPBACK,
        "minutes": new_keys.VISIBLE_SECONDS // 60,
        "snippet": snippet_for(found, key or "KEY", url=url),
        "trial": _trial(found, key or "KEY", url),
        "guide": guide_text(found.kind, key or "", url=url) if guide_of(found.kind) else None,
        **_arrived(found),
    }
    return show(request, "console/sources/setup.html", context)


@page(roles=ADMINS)
def waiting(request: HttpRequest, pk: int) -> HttpResponse:
    found = _source(pk)
    return show(request, "console/sources/_waiting.html", {"source": found, **_arrived(found)})


@page(roles=ADMINS)
@require_POST
def new_key(request: HttpRequest, pk: int) -> HttpResponse:
    found = _source(pk)
    new_keys.remember(request, found, create_key(found, by=person(request))[1])
    return redirect("console:source-setup", found.pk)


@page(roles=ADMINS)
@require_POST
def drop_key(request: HttpRequest, pk: int, key_id: int) -> HttpResponse:
    found = _source(pk)
    key = SourceKey.objects.filter(source=found, pk=key_id).select_related("source").first()
    if key is None:
        raise NotFound(_("This key is revoked already."))
    revoke_key(key, by=person(request))
    say(request, _("The key %(key)s is revoked. Requests with it are rejected.") % {"key": key})
    return redirect("console:source", found.pk)


@page(roles=ADMINS)
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the kind's example, as its sender would."""
    found = _source(pk)
    sample = send_sample(found)
    if sample.event is None:
        raise DomainError(
            _("The answer was %(status)s: %(detail)s") % {"status": sample.status, "detail": sample.detail}
        )
    process_sample(sample.event)
    say(request, _("The tool's example was sent. This is what came of it."))
    return redirect("console:intake-event", sample.event.pk)


@page(roles=ADMINS)
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    found = _source(pk)
    is_enabled = request.POST.get("is_enabled") == "true"
    write(SourceSerializer, {"is_enabled": is_enabled}, by=person(request), instance=found)
    clear_cache()
    say(request, _("Its requests are accepted.") if is_enabled else _("Its requests are rejected from now on."))
    return redirect("console:source", found.pk)


@page(roles=ADMINS)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    found = _source(pk)
    delete_configuration(found, by=person(request))
    clear_cache()
    say(request, _("The source %(name)s is deleted.") % {"name": found.name})
    return redirect("console:sources")


@page(roles=ADMINS)
@require_POST
def map_word(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an unknown word of the sender a meaning."""
    found, text = _source(pk), request.POST.get("word", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    row = UnknownWord.objects.filter(source=found, pk=number).first()
    if row is None:
        raise NotFound(_("That word has a meaning already, or the source no longer lists it."))
    means, is_applied = request.POST.get("means", ""), "apply" in request.POST
    count = teach(found, about=row.field, word=row.word, means=means, is_applied=is_applied, by=person(request))
    text = ngettext("Saved. %(count)d alert changes.", "Saved. %(count)d alerts change.", count)
    say(request, text % {"count": count})
    return redirect("console:source", found.pk)


def address_of(request: HttpRequest) -> str:
    """Return this server's address: the configured one, unless it names only this machine."""
    if urlsplit(settings.PUBLIC_URL).hostname not in LOOPBACK:
        return str(settings.PUBLIC_URL).rstrip("/")
    return request.build_absolute_uri("/").rstrip("/")


def _source(pk: int) -> Source:
    found = Source.objects.select_related("team").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Source %(id)s does not exist.") % {"id": pk})
    return found


def _is_silent(found: Source, now: Any) -> bool:
    if not found.is_enabled or found.heartbeat_minutes is None:
        return False
    return bool((now - found.quiet_since()).total_seconds() > found.heartbeat_minutes * 60)


def _trial(found: Source, key: str, url: str) -> str:
    """Return a command that sends the kind's example, where one without a signature is taken."""
    reader = payload_readers().get(found.kind)
    if reader is None or found.signing_secret or hasattr(reader, "verify"):
        return ""
    request = example_request(examples(reader)[0])
    try:
        body = orjson.dumps(orjson.loads(request.body)).decode()
    except ValueError:
        return ""
    if len(body) > LONGEST_TRIAL:
        return ""
    kind = f"Content-Type: {request.headers['content-type']}"
    return f"curl {url}/intake/{key}/ -H {shlex.quote(kind)} \\\n  -d {shlex.quote(body)}"


def _arrived(found: Source) -> dict[str, Any]:
    """Return the latest that arrived, and what came of it."""
    if found.kind == LOGS:
        line = LogEntry.objects.filter(source=found).order_by("-timestamp").first()
        return {"line": line, "is_over": line is not None}
    event = IntakeEvent.objects.filter(source=found).order_by("-id").defer("body").first()
    alerts = Alert.objects.filter(source=found).select_related("incident").order_by("-last_seen_at")
    return {
        "event": event,
        "made": list(alerts[:LATEST]) if event is not None and event.alert_count else [],
        "may_replay": event is not None and may_replay(event),
        "is_over": event is not None and event.state == IntakeState.DONE,
    }


urlpatterns = [
    path("sources/", sources, name="sources"),
    path("sources/new/", new_source, name="source-new"),
    path("sources/<int:pk>/", source, name="source"),
    path("sources/<int:pk>/edit/", edit_source, name="source-edit"),
    path("sources/<int:pk>/setup/", setup, name="source-setup"),
    path("sources/<int:pk>/waiting/", waiting, name="source-waiting"),
    path("sources/<int:pk>/keys/", new_key, name="source-new-key"),
    path("sources/<int:pk>/keys/<int:key_id>/revoke/", drop_key, name="source-revoke-key"),
    path("sources/<int:pk>/test/", test, name="source-test"),
    path("sources/<int:pk>/switch/", switch, name="source-switch"),
    path("sources/<int:pk>/delete/", delete, name="source-delete"),
    path("sources/<int:pk>/words/", map_word, name="source-map-word"),
]
