"""Serving requests at the doors: read each, keep many in one transaction, answer each."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

import structlog
from django.db import DatabaseError, IntegrityError, InterfaceError

from core.db.faults import is_too_large
from core.db.outages import outages
from core.db.transactions import is_database_unavailable, unit_of_work
from intake.endpoints import Endpoint
from intake.limits import turned_away
from intake.models import Source
from intake.requests import MAX_BYTES, IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import event_of, keep_events
from intake.vocabulary import IntakeState

TOO_LARGE = "The database does not take a request of this size (see max_allowed_packet); send it in smaller parts."

log = structlog.get_logger(__name__)

Shelf = Callable[[Sequence[IntakeResult]], None]


@dataclass(frozen=True)
class PendingWrite:
    """A request that was read and is to be kept; `size` is that of its body, unpacked, in bytes, or what it weighs."""

    door: Endpoint
    taken: IntakeResult
    size: int


def serve(door: Endpoint, incoming: IntakeRequest) -> IntakeResponse:
    """The answer to a request. What is answered 2xx is committed; never raises."""
    one = read(door, incoming)
    return keep([one])[0] if isinstance(one, PendingWrite) else one


def admit(door: Endpoint, head: IntakeRequest) -> str | IntakeResponse:
    """Who sends, by a name under which its requests share what there is, or the refusal; `head` is the request without
    its body, which nobody has read yet. Never raises."""
    try:
        source = door.source(head)
    except IntakeError as error:
        return door.refuse(error)
    except (DatabaseError, InterfaceError) as error:
        if outages.note(error) is None:
            log.error("intake_without_database", exc_info=error)
        return door.refuse(_not_now(error))
    return f"source {source.pk}" if source is not None else "people"


def read(door: Endpoint, incoming: IntakeRequest) -> PendingWrite | IntakeResponse:
    """What the door makes of a request, or the answer where nothing is to be kept; never raises."""
    source, size = None, len(incoming.body)
    try:
        if size > MAX_BYTES:
            raise IntakeError(f"The body is larger than {MAX_BYTES:,} bytes.", status=413)
        source = door.source(incoming)
        incoming = _without_key(door, incoming) if incoming.query else incoming
        taken: IntakeResult | IntakeResponse | None = turned_away(door, source) if source is not None else None
        if taken is None:
            unpacked = incoming.unpacked()
            size = len(unpacked.body)
            taken = door.take(unpacked, source)
    except IntakeError as error:
        taken = failed(door, incoming, source, error) if source and error.is_kept else door.refuse(error)
    except (DatabaseError, InterfaceError) as error:
        if outages.note(error) is None:
            log.error("intake_without_database", exc_info=error)
        taken = door.refuse(_not_now(error))
    except Exception as error:
        # An adapter met something that nobody thought of. It is kept, and can be replayed after a fix.
        log.error("intake_not_read", source=source and source.pk, exc_info=error)
        fault = IntakeError(f"It could not be read ({type(error).__name__}); it is kept and can be replayed.")
        taken = failed(door, incoming, source, fault) if source else door.refuse(fault)
    return taken if isinstance(taken, IntakeResponse) else PendingWrite(door, taken, max(size, taken.weight))


def keep(batch: Sequence[PendingWrite]) -> list[IntakeResponse]:
    """Store what was read, all in one transaction; the answer to each. Never raises."""
    try:
        _keep([one.taken for one in batch])
    except Exception as error:
        if len(batch) > 1 and not is_database_unavailable(error):
            log.warning("intake_batch_split", requests=len(batch), error=str(error))
            return [keep([one])[0] for one in batch]
        if is_too_large(error):  # to send it again would never help
            log.warning("intake_too_large", requests=len(batch), size=batch[0].size, error=str(error))
            return [one.door.refuse(IntakeError(TOO_LARGE, status=413)) for one in batch]
        if outages.note(error) is None:
            log.error("intake_not_kept", requests=len(batch), exc_info=error)
        # A 5xx is what senders try again; the fault is ours or the database's. When that is busy or gone, to wait for
        # it once more with each request would take as many times as long, and all that comes later waits behind.
        return [one.door.refuse(_not_now(error)) for one in batch]
    return [one.taken.reply for one in batch]


def failed(door: Endpoint, incoming: IntakeRequest, source: Source | None, error: IntakeError) -> IntakeResult:
    """What cannot be read, kept with the reason, so that it can be looked at and replayed after a fix."""
    event = event_of(incoming, source, format=door.format, state=IntakeState.FAILED, reason=error.message)
    if not door.has_key_in_path:
        event.headers["path"] = incoming.path
    return IntakeResult([event], door.refuse(error), keep_events, source)


def _keep(taken: Sequence[IntakeResult]) -> None:
    try:
        _keep_once(taken)
    except IntegrityError:
        _keep_once(taken)  # somebody brought the same delivery at the same moment; now it is seen to be there


@unit_of_work
def _keep_once(taken: Sequence[IntakeResult]) -> None:
    shelves: defaultdict[Shelf, list[IntakeResult]] = defaultdict(list)
    for one in taken:
        shelves[one.shelf].append(one)
    for shelf, of_it in shelves.items():
        shelf(of_it)


def _without_key(door: Endpoint, incoming: IntakeRequest) -> IntakeRequest:
    """The request without its key, where that stands in the query: what is kept of it must let nobody in."""
    key, pairs = door.key(incoming), parse_qsl(incoming.query, keep_blank_values=True)
    rest = [(name, value) for name, value in pairs if value != key]
    return incoming if len(rest) == len(pairs) else replace(incoming, query=urlencode(rest))


def _not_now(error: Exception) -> IntakeError:
    return IntakeError(
        f"It could not be stored now ({type(error).__name__}); send it again.", status=503, retry_after=5
    )
