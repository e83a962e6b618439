"""Serving requests at the doors: read each, keep all in one transaction, answer each."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import structlog
from django.db import DatabaseError, IntegrityError, InterfaceError

from alerts.incoming import MAX_BYTES, Incoming, IntakeError, Reply
from alerts.intake.doors import Door
from alerts.intake.limits import turned_away
from alerts.models import Source
from alerts.services.queue import event_of, keep_events
from alerts.taken import Taken
from alerts.vocabulary import IntakeState
from users.transactions import is_away, unit_of_work

log = structlog.get_logger(__name__)

MAX_UNPACKED = 2 * MAX_BYTES
Call = tuple[Door, Incoming]
Shelf = Callable[[Sequence[Taken]], None]


def serve(calls: Sequence[Call]) -> list[Reply]:
    """The answers to requests that came at the same time. What is answered 2xx is committed; never raises."""
    replies: list[Reply] = []
    while len(replies) < len(calls):
        replies += _serve_first(calls[len(replies) :])
    return replies


def _serve_first(calls: Sequence[Call]) -> list[Reply]:
    """The answers to the first of the requests: as many as are held in memory together, unpacked."""
    taken: list[Taken | Reply] = []
    sizes: list[int] = []
    for door, incoming in calls:
        taken.append(_read(door, incoming, sizes))
        if sum(sizes) > MAX_UNPACKED:
            break
    calls = calls[: len(taken)]
    wanted = [one for one in taken if isinstance(one, Taken)]
    try:
        if wanted:  # what only reads need not wait for its turn to write
            _keep(wanted)
    except Exception as error:
        if len(calls) > 1 and not is_away(error):
            log.warning("intake_batch_split", requests=len(calls), error=str(error))
            return [serve([call])[0] for call in calls]
        log.error("intake_not_kept", requests=len(calls), exc_info=error)
        # A 5xx is what senders try again; the fault is ours or the database's.
        not_now = _not_now(error)
        return [
            door.refuse(not_now) if isinstance(one, Taken) else one for (door, _), one in zip(calls, taken, strict=True)
        ]
    return [one.reply if isinstance(one, Taken) else one for one in taken]


def failed(door: Door, incoming: Incoming, source: Source | None, error: IntakeError) -> Taken:
    """What cannot be read, kept with the reason, so that it can be looked at and replayed after a fix."""
    event = event_of(incoming, source, format=door.format, state=IntakeState.FAILED, reason=error.message)
    if not door.has_key_in_path:
        event.headers["path"] = incoming.path
    return Taken([event], door.refuse(error), keep_events, source)


def _keep(taken: Sequence[Taken]) -> None:
    try:
        _keep_once(taken)
    except IntegrityError:
        _keep_once(taken)  # somebody brought the same delivery at the same moment; now it is seen to be there


@unit_of_work
def _keep_once(taken: Sequence[Taken]) -> None:
    shelves: defaultdict[Shelf, list[Taken]] = defaultdict(list)
    for one in taken:
        shelves[one.shelf].append(one)
    for shelf, of_it in shelves.items():
        shelf(of_it)


def _read(door: Door, incoming: Incoming, sizes: list[int]) -> Taken | Reply:
    """What the door makes of it; `sizes` is told how many bytes were unpacked."""
    source = None
    try:
        if len(incoming.body) > MAX_BYTES:
            raise IntakeError(f"The body is larger than {MAX_BYTES:,} bytes.", status=413)
        source = door.source(incoming)
        incoming = _without_key(door, incoming) if incoming.query else incoming
        if source is not None and (refusal := turned_away(door, source)) is not None:
            return refusal
        unpacked = incoming.unpacked()
        sizes.append(len(unpacked.body))
        return door.take(unpacked, source)
    except IntakeError as error:
        return failed(door, incoming, source, error) if source and error.is_kept else door.refuse(error)
    except (DatabaseError, InterfaceError) as error:
        log.error("intake_without_database", exc_info=error)
        return door.refuse(_not_now(error))
    except Exception as error:
        # An adapter met something that nobody thought of. It is kept, and can be replayed after a fix.
        log.error("intake_not_read", source=source and source.pk, exc_info=error)
        fault = IntakeError(f"It could not be read ({type(error).__name__}); it is kept and can be replayed.")
        return failed(door, incoming, source, fault) if source else door.refuse(fault)


def _without_key(door: Door, incoming: Incoming) -> Incoming:
    """The request without its key, where that stands in the query: what is kept of it must let nobody in."""
    key, pairs = door.key(incoming), parse_qsl(incoming.query, keep_blank_values=True)
    rest = [(name, value) for name, value in pairs if value != key]
    return incoming if len(rest) == len(pairs) else replace(incoming, query=urlencode(rest))


def _not_now(error: Exception) -> IntakeError:
    return IntakeError(
        f"It could not be stored now ({type(error).__name__}); send it again.", status=503, retry_after=5
    )
