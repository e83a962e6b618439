"""Heartbeats at any endpoint."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils import timezone

from alerts.endpoints.signals import Ping, Signal
from alerts.models import Heartbeat
from alerts.reading.values import text
from alerts.services.heartbeats import expect, report_failure
from alerts.services.heartbeats import ping as record_ping
from core.text.names import normal, refuse_bad_name
from intake.models import Source
from intake.requests import IntakeError, IntakeResponse
from intake.results import IntakeResult

LONGEST_NAME = 100
MOST_HEARTBEATS = 1_000


def ping_named(source: Source, name: str, response: IntakeResponse) -> IntakeResult:
    return ping(source, Ping(heartbeat_name(name)), response)


def ping(source: Source, received: Ping, response: IntakeResponse) -> IntakeResult:
    """Return a ping's result; the first creates the heartbeat. Raises IntakeError (422) past the limit."""
    if received.name:
        _refuse_too_many(source, received.name)
    return IntakeResult([received], response, store_pings, source)


def heartbeat_name(name: str) -> str:
    """Return a heartbeat's valid name. Raises IntakeError (422)."""
    name = normal(text(name))
    if not 0 < len(name) <= LONGEST_NAME:
        raise IntakeError(
            f"A heartbeat's name must be 1 to {LONGEST_NAME} characters long.", status=422, is_stored=False
        )
    try:
        refuse_bad_name(name)
    except ValidationError as error:
        raise IntakeError(error.messages[0], status=422, is_stored=False) from error
    return name


def store_pings(result: Sequence[IntakeResult]) -> None:
    """Store pings, the last of each heartbeat."""
    now = timezone.now()
    latest: dict[tuple[Source, str, Signal], Ping] = {}
    for one in result:
        if one.source is None:
            continue
        for row in one.rows:
            key = (one.source, row.name, row.signal)
            latest.pop(key, None)
            latest[key] = row
    for (source, name, signal), row in latest.items():
        if signal == Signal.ALIVE:
            record_ping(source, now, name)
        elif signal == Signal.FAILED:
            report_failure(source, now, name, row.message)
        elif signal == Signal.STARTED and name:
            expect(source, now, name)


def _refuse_too_many(source: Source, name: str) -> None:
    ours = Heartbeat.objects.filter(source=source)
    if not ours.filter(name=name).exists() and ours.count() >= MOST_HEARTBEATS:
        raise IntakeError(
            f"A source has at most {MOST_HEARTBEATS:,} heartbeats; delete one before you add another.",
            status=422,
            is_stored=False,
        )
