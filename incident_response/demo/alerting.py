import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from alerts.models import Heartbeat, Route, Silence
from alerts.services import enqueue, process_waiting
from alerts.services.changes import take
from alerts.services.processing import read
from alerts.updates import Action, AlertUpdate, Change
from incidents.models import Category
from intake.models import Source
from intake.requests import IntakeRequest
from intake.services.queue import event_of, insert_events
from logs.lines import Line
from logs.models import DetectionRule
from logs.services.rules import save_rule
from logs.services.storing import store
from logs.vocabulary import LEVEL_OF_WORD
from responders.models import Service, Team
from users.models import User

Values = dict[str, Any]
Happening = tuple[dt.datetime, Callable[[], object]]


def set_up(content: Values, people: Mapping[str, User], now: dt.datetime, span: Callable[[str], dt.timedelta]) -> None:
    """Create sources, heartbeats, routes and silences; `span` parses durations."""
    sources = {row.pop("key"): _source(row) for row in content["source"]}
    content["sources"] = sources
    for row in content["heartbeat"]:
        at, source = now - span(row.pop("ago")), sources[row.pop("source")]
        Heartbeat.objects.create(source=source, last_ping_at=at, **row)
    for position, row in enumerate(content["route"]):
        _checked(Route(position=position, **{**row, **_related(row)}))
    for row in content["silence"]:
        by, lasts = people[row.pop("by")], span(row.pop("lasts"))
        times = {name: dt.time.fromisoformat(row[name]) for name in ("starts_time", "ends_time") if name in row}
        begun = now - dt.timedelta(hours=1)
        _checked(Silence(created_by=by, starts_at=begun, ends_at=now + lasts, created_at=begun, **{**row, **times}))


def demo_events(content: Values, now: dt.datetime, span: Callable[[str], dt.timedelta]) -> list[Happening]:
    """Return each event's time and what ingests it."""
    sources = content["sources"]
    found: list[Happening] = []
    for row in content["alert"]:
        at, source = now - span(row.pop("ago")), sources[row.pop("source")]
        over = row.pop("resolved_after", "")
        update = AlertUpdate(**{**row, "links": tuple(row.get("links", ())), "starts_at": at})
        found.append((at, partial(_receive, source, update, at)))
        if over:
            end = at + span(over)
            ended = AlertUpdate(title=update.title, action=Action.RESOLVE, labels=update.labels, ends_at=end)
            found.append((end, partial(_receive, source, ended, end)))
    for row in content["change"]:
        at, source = now - span(row.pop("ago")), sources[row.pop("source")]
        links, services = tuple(row.pop("links", ())), tuple(row.pop("services", ()))
        change = Change(occurred_at=at, links=links, services=services, **row)
        found.append((at, partial(take, source, [change], at=at)))
    for row in content["log"]:
        first, times = now - span(row.pop("ago")), row.pop("times", 1)
        every, level = span(row.pop("every", "1m")), LEVEL_OF_WORD[row.pop("level")]
        lines = [Line(timestamp=first + every * number, level=level, **row) for number in range(times)]
        found.append((now, partial(store, lines, sources["logs"], now)))
    for row in content["rule"]:
        found.append((now, partial(save_rule, DetectionRule(**{**row, "level": LEVEL_OF_WORD[row["level"]]}))))
    found += [(now, partial(_fail, sources[row["source"]], row["body"])) for row in content["failed"]]
    return found


def _source(row: Values) -> Source:
    team = Team.objects.get(name=row["team"]) if "team" in row else None
    source = _checked(Source(**{**row, "team": team}))
    assert isinstance(source, Source)  # noqa: S101 (for the type checker)
    return source


def _related(row: Values) -> Values:
    named = {"team": (Team, "name"), "service": (Service, "slug"), "category": (Category, "slug")}
    return {
        name: model._default_manager.get(**{column: row[name]})
        for name, (model, column) in named.items()
        if name in row
    }


def _checked(row: Source | Route | Silence) -> Source | Route | Silence:
    row.full_clean()
    row.save(force_insert=True)
    return row


def _receive(source: Source, update: AlertUpdate, at: dt.datetime) -> None:
    enqueue(source, [update], at=at)
    process_waiting(at)
    Source.objects.filter(pk=source.pk).update(last_received_at=at)


def _fail(source: Source, body: str) -> None:
    event = event_of(IntakeRequest("POST", "", {"content-type": "application/json"}, body.encode()), source)
    reading = read(event)
    event.state, event.reason = reading.state, reading.reason
    insert_events([event])
