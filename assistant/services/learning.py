"""Learn from the installation's own incidents, by a job; keep the newest training in a row."""

import datetime as dt
import hmac
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from assistant.learning.features import features_of
from assistant.learning.learner import FEWEST, MOST, Learnt, learn
from assistant.learning.packing import keyed, pack, unpack
from assistant.models import LearningSchedule, RoutingModel
from assistant.vocabulary import LearntField
from core.db.leases import Lease
from core.db.transactions import unit_of_work
from core.server.jobs import is_stopping
from incidents.models import Incident, IncidentEvent, Status

SPAN = dt.timedelta(days=730)  # older incidents are not learnt from
LOOK_EVERY = dt.timedelta(minutes=10)  # at least
REST = 60  # times as long as a look took, until the next: small histories are learnt from at once
AT_LEAST_EVERY = dt.timedelta(days=1)  # where anything new was resolved
GROWTH = 1.2  # times the incidents of the last training
KEPT = 50  # trainings whose figures stay
CHUNK = 500
MOST_LABELS = 30  # of the alert that opened an incident
SCHEDULE = "routing"
FINISHED = (Status.RESOLVED, Status.CLOSED)
OF_CATEGORY = ("category=", "no category")
BREATH = 0.001  # seconds, for other threads

lease = Lease("due_at", dt.timedelta(minutes=15))


class _Stopped(Exception):
    """The worker ends; another run will learn."""


@dataclass(frozen=True)
class Example:
    """An incident as it was opened, and what it was in the end."""

    features: Mapping[str, list[str]]  # by field
    labels: Mapping[str, int | None]


def train_if_due(now: dt.datetime) -> int:
    """Learn anew where enough was resolved since the last training; return 1 if it did."""
    schedule, _ = LearningSchedule.objects.get_or_create(name=SCHEDULE, defaults={"due_at": now})
    if schedule.due_at > now or not lease.claim(schedule, now):
        return 0
    done, began = 0, time.monotonic()
    try:
        if _has_more(now):
            done = int(train_now(now) is not None)
    except _Stopped:
        pass
    finally:
        rest = min(LOOK_EVERY, REST * dt.timedelta(seconds=time.monotonic() - began))
        due_at = now + (rest if not is_stopping() else dt.timedelta())
        LearningSchedule.objects.filter(name=SCHEDULE).update(due_at=due_at)
    return done


def train_now(now: dt.datetime) -> RoutingModel | None:
    """Learn from the newest resolved incidents and store the result; None where there are too few."""
    began = time.monotonic()
    rows = _newest(now)
    if len(rows) < FEWEST:
        return None
    examples = list(_examples(rows))
    learnt: dict[str, Learnt[int]] = {}
    figures: dict[str, Any] = {}
    for name in LearntField.values:
        labelled = [(one.features[name], label) for one in examples if (label := one.labels[name]) is not None]
        found = learn([one for one, _ in labelled], [label for _, label in labelled], pause=_breathe)
        if found is not None:
            learnt[name] = found
            figures[name] = asdict(found.figures)
        else:
            figures[name] = {"examples": len(labelled), "because": "tells_nothing"}
    made = RoutingModel(
        trained_at=now,
        newest_at=rows[-1][4],
        incidents=len(rows),
        milliseconds=round(1000 * (time.monotonic() - began)),
        figures=figures,
        weights=pack(learnt),
    )
    _store(made)
    return made


@unit_of_work
def _store(made: RoutingModel) -> None:
    made.save(force_insert=True)
    RoutingModel.objects.filter(pk__lt=made.pk).update(weights=b"")
    RoutingModel.objects.filter(pk__lte=made.pk - KEPT).delete()


def _has_more(now: dt.datetime) -> bool:
    latest = RoutingModel.objects.defer("weights").first()
    if latest is None:
        return True
    is_late = now - latest.trained_at >= AT_LEAST_EVERY
    return _resolved_since(latest.trained_at) >= (1 if is_late else max(1, round(latest.incidents * (GROWTH - 1))))


def _resolved_since(moment: dt.datetime) -> int:
    """Count incidents resolved since, MOST at most, along the index of the last change."""
    names = ("status", "resolved_at", "is_restricted", "deleted_at")
    changed = Incident.objects.filter(updated_at__gt=moment).order_by("updated_at").values_list(*names)[:MOST]
    return sum(
        status in FINISHED and resolved_at is not None and resolved_at > moment and not hidden and deleted_at is None
        for status, resolved_at, hidden, deleted_at in changed
    )


def _history(now: dt.datetime) -> QuerySet[Incident]:
    return Incident.objects.counted().filter(status__in=FINISHED, created_at__gte=now - SPAN)


def _newest(now: dt.datetime) -> list[tuple[int, int | None, int | None, int, dt.datetime]]:
    """Return the newest that people reported, filled up with others; oldest first."""
    names = ("pk", "team_id", "category_id", "severity", "created_at")
    history = _history(now).order_by("-created_at", "-id").values_list(*names)
    found = list(history.filter(reporter__isnull=False)[:MOST])
    if len(found) < MOST:
        found += history.filter(reporter__isnull=True)[: MOST - len(found)]
    return sorted(found, key=lambda row: (row[4], row[0]))


def _examples(rows: list[tuple[int, int | None, int | None, int, dt.datetime]]) -> Iterator[Example]:
    key = feature_key()
    for start in range(0, len(rows), CHUNK):
        _breathe()
        some = rows[start : start + CHUNK]
        events = IncidentEvent.objects.filter(incident__in=[row[0] for row in some], seq=1)
        opened = {pk: (data, person) for pk, data, person in events.values_list("incident_id", "data", "actor_id")}
        for pk, team, category, severity, _at in some:
            known = Opening.of_event(*opened.get(pk, ({}, None)))
            digests = dict(zip(known.everything, keyed(known.everything, key), strict=True))
            features = {name: [digests[one] for one in known.features(name)] for name in LearntField.values}
            yield Example(features, {"team": team, "category": category, "severity": severity})


@dataclass(frozen=True)
class Opening:
    """What is known of an incident when it is opened."""

    title: str
    description: str = ""
    location: str = ""
    category: str = ""  # slug
    services: tuple[str, ...] = ()  # slugs
    reporter: int | None = None
    source: str = ""
    labels: tuple[str, ...] = ()

    @classmethod
    def of_event(cls, data: Mapping[str, Any], person: int | None) -> "Opening":
        """Return what the first event of a timeline tells."""
        told = {name: pair[1] for name, pair in data.get("changes", {}).items()}
        labels = (data.get("alert") or {}).get("labels") or {}
        return cls(
            title=told.get("title") or "",
            description=told.get("description") or "",
            location=told.get("location") or "",
            category=told.get("category") or "",
            services=tuple(told.get("services") or ()),
            reporter=(told.get("reporter") or {}).get("id") or person,
            source=told.get("origin_system") or "",
            labels=tuple(f"{name}:{value}" for name, value in sorted(labels.items())[:MOST_LABELS]),
        )

    @cached_property
    def everything(self) -> list[str]:
        told: dict[str, str | tuple[str, ...]] = {
            "service": self.services,
            "location": self.location,
            "reporter": str(self.reporter or ""),
            "source": self.source,
            "label": self.labels,
            "category": self.category,
        }
        return features_of(self.title, self.description, told)

    def features(self, field: str) -> list[str]:
        """Return the features from which this field is told."""
        if field != LearntField.CATEGORY:
            return self.everything
        return [one for one in self.everything if not one.startswith(OF_CATEGORY)]


def feature_key() -> bytes:
    """Return the key of the features' digests."""
    return hmac.digest(settings.HISTORY_KEY.encode(), b"assistant.learning", "sha256")


@dataclass(frozen=True)
class Current:
    """The newest training, as used."""

    version: int
    incidents: int
    trained_at: dt.datetime
    fields: Mapping[str, Learnt[int]]


_kept: dict[str, Current] = {}


def current() -> Current | None:
    """Return the newest training, read again only when there is a newer one; one small query."""
    version = RoutingModel.objects.order_by("-id").values_list("pk", flat=True).first()
    if version is None:
        return None
    kept = _kept.get(SCHEDULE)
    if kept is not None and kept.version == version:
        return kept
    row = RoutingModel.objects.filter(pk=version).first()
    if row is None or not row.weights:
        return None
    made = Current(row.pk, row.incidents, row.trained_at, unpack(bytes(row.weights)))
    _kept[SCHEDULE] = made
    return made


def _breathe() -> None:
    """Let other threads of the worker go on; stop with it."""
    if is_stopping():
        raise _Stopped
    time.sleep(BREATH)
