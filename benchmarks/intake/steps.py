"""What must be done inside Django, on the database that is measured (see `benchmarks.inside`)."""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Sum

from alerts.models import Alert, AlertGroup, AlertLabel
from alerts.models.alert import pair_number
from benchmarks.intake import lines
from incidents.models import Incident, IncidentEvent
from incidents.services import verify_all
from intake.models import IntakeEvent, Source
from intake.services.sources import create_key
from logs.models import DetectionRule, LogEntry
from logs.services.rules import delete_rule, log_source, save_rule
from logs.services.storing import COLUMNS
from users.models import Role, User
from users.services.sessions import open_session
from users.tokens import access_token

LONG_AGO = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def source(kind: str, *group_by: str) -> dict[str, Any]:
    """Return the id and the key of a new source."""
    number = Source.objects.count() + 1
    made = Source.objects.create(
        name=f"Load {kind} {number}", kind=kind, rate_limit=1_000_000_000, group_by=list(group_by)
    )
    return {"id": made.pk, "key": create_key(made)[1]}


def token() -> str:
    """Return an administrator's access token."""
    person, _ = User.objects.get_or_create(email="bench@example.com", defaults={"name": "Bench", "role": Role.ADMIN})
    return access_token(open_session(person))


def counts(source_id: str) -> dict[str, Any]:
    """Return what came of a source's messages."""
    events = IntakeEvent.objects.filter(source=source_id).values_list("state").order_by("state").annotate(n=Count("pk"))
    alerts = Alert.objects.filter(source=source_id).aggregate(n=Count("pk"), occurrences=Sum("occurrences"))
    incidents = Incident.objects.filter(alerts__source=source_id).distinct().count()
    return {"events": dict(events), "incidents": incidents, **alerts}


def occurrences(source_id: str) -> dict[str, int]:
    """Return the occurrences of each fingerprint of the source."""
    rows = Alert.objects.filter(source=source_id).values_list("fingerprint", "occurrences")
    return dict(rows)


def chains(source_id: str) -> dict[str, int]:
    """Return how many faults the timelines of the source's incidents have, and how many alerts opened two incidents."""
    mine = Incident.objects.filter(alerts__source=source_id)
    titles = Incident.objects.filter(title__startswith="chaos ").values("title").annotate(n=Count("pk")).filter(n__gt=1)
    faults = sum(fault is not None for fault in verify_all(mine.distinct()))
    return {"faults": faults, "doubled": len(titles), "incidents": mine.distinct().count()}


def fill(number: str) -> None:
    """Store so many alerts, resolved long ago, with four labels each, where they are missing."""
    wanted = int(number)
    if Alert.objects.filter(pk__gte=wanted).exists():
        return
    owner = Source.objects.get_or_create(name="Stored", defaults={"kind": "generic"})[0]
    fields = [field for field in Alert._meta.concrete_fields if not field.generated]
    columns = [field.column for field in fields]
    plain = [field.get_db_prep_save(getattr(_stored(owner), field.attname), connection) for field in fields]
    alerts = (_row(plain, columns, pk) for pk in range(1, wanted + 1))
    quoted = ", ".join(map(connection.ops.quote_name, columns))
    _insert(f"INSERT INTO {Alert._meta.db_table} ({quoted}) VALUES", columns, alerts)
    pairs = sorted((pair_number(name, value), pk) for pk in range(1, wanted + 1) for name, value in _labels(pk).items())
    _insert(f"INSERT INTO {AlertLabel._meta.db_table} (pair, alert_id) VALUES", ["pair", "alert_id"], iter(pairs))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else f"ANALYZE TABLE {Alert._meta.db_table}")


def tidy(number: str) -> None:
    """Take away what earlier loads left: open incidents past due would keep the worker busy with them."""
    kept = int(number)
    models = (AlertGroup, IntakeEvent, IncidentEvent, LogEntry)
    statements = [f"DELETE FROM {model._meta.db_table}" for model in models]
    statements += [
        f"DELETE FROM {AlertLabel._meta.db_table} WHERE alert_id > {kept}",
        f"DELETE FROM {Alert._meta.db_table} WHERE id > {kept}",
        "DELETE FROM incidents_search",
        f"DELETE FROM {Incident._meta.db_table}",
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _stored(owner: Any) -> Any:
    return Alert(
        source=owner,
        status="resolved",
        severity=2,
        description="Nothing special; it was over after a quarter of an hour.",
        starts_at=LONG_AGO,
        ends_at=LONG_AGO,
        ended_by="sender",
        first_seen_at=LONG_AGO,
        last_seen_at=LONG_AGO,
    )


def _labels(pk: int) -> dict[str, str]:
    return {"host": f"host-{pk}", "service": f"service-{pk % 200}", "region": f"region-{pk % 5}", "job": "node"}


def _row(plain: list[Any], columns: list[str], pk: int) -> tuple[Any, ...]:
    key = hashlib.sha256(f"stored {pk}".encode()).hexdigest()
    own = {"id": pk, "key": key, "fingerprint": key[:32], "title": f"Alert {pk}", "labels": json.dumps(_labels(pk))}
    return tuple(own.get(column, value) for column, value in zip(columns, plain, strict=True))


def _insert(start: str, columns: list[str], values: Iterator[tuple[Any, ...]]) -> None:
    marks = f"({', '.join(['%s'] * len(columns))})"
    size = 500 if len(columns) > 2 else 5000
    while chunk := list(islice(values, size * 20)):
        with transaction.atomic(), connection.cursor() as cursor:
            for at in range(0, len(chunk), size):
                some = chunk[at : at + size]
                cursor.execute(f"{start} {', '.join([marks] * len(some))}", [part for row in some for part in row])


def rules(number: str) -> None:
    """Enable so many threshold rules, in place of those that are there."""
    for rule in DetectionRule.objects.filter(is_builtin=False):
        delete_rule(rule)
    for at in range(int(number)):
        service = f"service-{at % 10}"
        save_rule(
            DetectionRule(name=f"Rule {at}", query=f"timeout {at}", service=service, threshold=5, source=log_source())
        )


def bare_lines(seconds: str) -> float:
    """Return the rows a second that a plain INSERT of a batch and its commit manage, by one process."""
    batches = [
        list(lines.rows(number, f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}")) for number in range(lines.BODIES)
    ]
    marks = ", ".join([f"({', '.join(['%s'] * len(COLUMNS))})"] * lines.BATCH)
    insert = f"INSERT INTO {LogEntry._meta.db_table} ({', '.join(COLUMNS)}) VALUES {marks}"
    values = [[value for row in batch for value in row] for batch in batches]
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < float(seconds):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(insert, values[count % lines.BODIES])
        count += 1
    return count * lines.BATCH / (time.perf_counter() - started)
