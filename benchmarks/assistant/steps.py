"""What is measured inside Django: times on the large history, and quality on histories with planted answers."""

import datetime as dt
import random
import time
from dataclasses import asdict
from typing import Any

from django.test import Client
from django.utils import timezone

from alerts.models import ChangeEvent
from assistant.correlation import rank_changes
from assistant.services.similar import related_incidents
from assistant.tests.judging import judge
from assistant.tests.scenarios import make_scenario
from benchmarks.incidents import people
from benchmarks.incidents.upkeep import tokens
from incidents.models import Incident
from logs.models import LogEntry
from logs.vocabulary import Level
from users.models import User

SEED = 20261201
ASKED = 60  # incidents, half of them among the newest
CHANGES, QUIET_LINES, LOUD_LINES = 30, 400, 200  # beside each incident that is asked about
BACKGROUND = 20_000  # changes
SCENARIOS = 2_000
MANY, REPEATS, UNRELATED = 10_000, 200, 200


def times(number: str) -> dict[str, list[float]]:
    """Return milliseconds of whole answers over the API, and of similar incidents alone, once cold and then warm."""
    size = int(number)
    numbers = random.Random(SEED)
    newest = range(max(1, size - 1_000), size + 1)
    ids = numbers.sample(range(1, size + 1), ASKED // 2) + numbers.sample(newest, ASKED // 2)
    try:
        for pk in ids:
            _surround(Incident.objects.get(pk=pk), numbers)
        _fill(numbers)
        answers, processor = _answers(ids)
        return {"answer": answers, "processor": processor, "similar": _similar(ids)}
    finally:
        ChangeEvent.objects.all().delete()
        LogEntry.objects.all()._raw_delete("default")


def _answers(ids: list[int]) -> tuple[list[float], list[float]]:
    """Return what each took by the clock, and of the processor."""
    client = Client(headers={"Authorization": f"Bearer {tokens()['responder']}"}, SERVER_NAME="127.0.0.1")
    found, processor = [], []
    for pk in ids:
        started, used = time.perf_counter(), time.process_time()
        answer = client.get(f"/api/v1/incidents/{pk}/suggestions/")
        found.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - used) * 1000)
        if answer.status_code not in (200, 404):  # 404: restricted
            raise SystemExit(f"{answer.status_code} for incident {pk}")
    return found, processor


def _similar(ids: list[int]) -> list[float]:
    viewer = User.objects.get(pk=people.RESPONDER_IDS.start)
    found = []
    for incident in Incident.objects.filter(pk__in=ids):
        started = time.perf_counter()
        related_incidents(incident, viewer, timezone.now())
        found.append((time.perf_counter() - started) * 1000)
    return found


def _surround(incident: Incident, numbers: random.Random) -> None:
    """Give an incident changes before it, and lines of its services before and around its start."""
    services = list(incident.services.all())
    changes = [
        _change(incident.occurred_at - dt.timedelta(minutes=numbers.uniform(1, 1_440)), numbers, services)
        for _number in range(CHANGES)
    ]
    ChangeEvent.objects.bulk_create(changes)
    for service in services[:2]:
        quiet = [
            _line(incident.occurred_at - dt.timedelta(minutes=numbers.uniform(10, 350)), service.slug, numbers)
            for _number in range(QUIET_LINES)
        ]
        loud = [
            _line(incident.occurred_at - dt.timedelta(minutes=numbers.uniform(-5, 5)), service.slug, numbers, "pool")
            for _number in range(LOUD_LINES)
        ]
        LogEntry.objects.bulk_create([*quiet, *loud])


def _fill(numbers: random.Random) -> None:
    """Add changes of other times."""
    rows = [
        _change(timezone.now() - dt.timedelta(minutes=numbers.uniform(0, 1_500_000)), numbers, [])
        for _number in range(BACKGROUND)
    ]
    ChangeEvent.objects.bulk_create(rows, batch_size=1_000)


def _change(at: dt.datetime, numbers: random.Random, services: list[Any]) -> ChangeEvent:
    service = numbers.choice(services) if services and numbers.random() < 0.3 else None
    summary = (
        f"Deploy {service.slug if service else 'another system'} {numbers.randint(1, 99)}.{numbers.randint(1, 99)}"
    )
    return ChangeEvent(summary=summary, service=service, occurred_at=at, received_at=at)


def _line(at: dt.datetime, service: str, numbers: random.Random, what: str = "") -> LogEntry:
    level = Level.ERROR if what else numbers.choice([Level.INFO, Level.WARNING])
    message = f"{what or numbers.choice(['request', 'query', 'job'])} {numbers.randint(1, 9_999)} took too long"
    return LogEntry(timestamp=at, level=level, service=service, message=message, received_at=at)


def culprits() -> dict[str, float]:
    """Return how often planted culprits among 20 changes come first and among the first three, beside baselines."""
    numbers = random.Random(SEED)
    counts = dict.fromkeys(("first", "three", "newest", "newest three", "chance", "own newest"), 0)
    for seed in range(100_000, 100_000 + SCENARIOS):
        scenario = make_scenario(seed)
        ranked = [one.change.id for one in rank_changes(scenario.trouble, scenario.changes)]
        before = sorted((one for one in scenario.changes if one.at <= scenario.trouble.start), key=lambda one: one.at)
        newest = [one.id for one in reversed(before)]
        own = [one.id for one in reversed(before) if one.service in scenario.trouble.services]
        counts["first"] += ranked[:1] == [scenario.culprit]
        counts["three"] += scenario.culprit in ranked[:3]
        counts["newest"] += newest[0] == scenario.culprit
        counts["newest three"] += scenario.culprit in newest[:3]
        counts["own newest"] += own[:1] == [scenario.culprit]
        counts["chance"] += numbers.choice(scenario.changes).id == scenario.culprit
    return {name: count / SCENARIOS for name, count in counts.items()}


def repeats() -> dict[str, float]:
    """Return how often repeats among 10,000 incidents are found, on an empty database."""
    viewer = User.objects.create(email="bench@example.org", name="Bench", role="admin")
    return asdict(judge(MANY, REPEATS, UNRELATED, viewer, timezone.now()))
