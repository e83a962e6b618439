"""Serve requests at endpoints: read each, store many at once, answer each."""

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
from intake.limits import rate_limited
from intake.models import Source
from intake.requests import MAX_BYTES, IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import event_of, store_events
from intake.vocabulary import IntakeState

TOO_LARGE = "The database does not accept a request of this size (see max_allowed_packet); send it in smaller parts."

log = structlog.get_logger(__name__)

Sink = Callable[[Sequence[IntakeResult]], None]


@dataclass(frozen=True)
class PendingWrite:
    """A request to be stored; `size` is its body's or weight in bytes."""

    endpoint: Endpoint
    result: IntakeResult
    size: int


def serve(endpoint: Endpoint, request: IntakeRequest) -> IntakeResponse:
    """Return the response; 2xx is committed. Never raises."""
    one = read(endpoint, request)
    assert one is not None  # noqa: S101 (it may wait)
    return store([one])[0] if isinstance(one, PendingWrite) else one


def admit(endpoint: Endpoint, head: IntakeRequest) -> str | IntakeResponse:
    """Return under whose name a request shares memory, or the refusal; never raises.

    `head` has no body yet.
    """
    try:
        source = endpoint.source(head)
    except IntakeError as error:
        return endpoint.refuse(error)
    except (DatabaseError, InterfaceError) as error:
        if outages.note(error) is None:
            log.error("intake_without_database", exc_info=error)
        return endpoint.refuse(_not_now(error))
    return f"source {source.pk}" if source is not None else "people"


def read(endpoint: Endpoint, request: IntakeRequest, *, may_wait: bool = True) -> PendingWrite | IntakeResponse | None:
    """Return what to store, or the response; None if it must wait for the network and may not. Never raises."""
    request = replace(request)
    source, size = None, len(request.body)
    try:
        if size > MAX_BYTES:
            raise IntakeError(f"The body is larger than {MAX_BYTES:,} bytes.", status=413)
        source = endpoint.source(request)
        if not may_wait and endpoint.is_slow(source):
            return None
        request = _without_key(endpoint, request) if request.query else request
        result = rate_limited(endpoint, source) if source is not None else None
        if result is None:
            size = len(request.unpacked.body)
            result = endpoint.ingest(request.unpacked, source)
    except IntakeError as error:
        result = failed(endpoint, request, source, error) if source and error.is_stored else endpoint.refuse(error)
    except (DatabaseError, InterfaceError) as error:
        if outages.note(error) is None:
            log.error("intake_without_database", exc_info=error)
        result = endpoint.refuse(_not_now(error))
    except Exception as error:
        # a bug in a reader: stored, to be replayed after a fix
        log.error("intake_not_read", source=source and source.pk, exc_info=error)
        fault = IntakeError(f"It could not be read ({type(error).__name__}); it is stored and can be replayed.")
        result = failed(endpoint, request, source, fault) if source else endpoint.refuse(fault)
    return result if isinstance(result, IntakeResponse) else PendingWrite(endpoint, result, max(size, result.weight))


def store(batch: Sequence[PendingWrite]) -> list[IntakeResponse]:
    """Store many in one transaction; return each response. Never raises."""
    results = [one.result for one in batch]
    try:
        try:
            _store(results)
        except IntegrityError:
            _store(results)  # the same delivery came twice at once
    except Exception as error:
        if len(batch) > 1 and not is_database_unavailable(error):
            log.warning("intake_batch_split", requests=len(batch), error=str(error))
            return [store([one])[0] for one in batch]
        if is_too_large(error):  # a retry would never help
            log.warning("intake_too_large", requests=len(batch), size=batch[0].size, error=str(error))
            return [one.endpoint.refuse(IntakeError(TOO_LARGE, status=413)) for one in batch]
        if outages.note(error) is None:
            log.error("intake_not_stored", requests=len(batch), exc_info=error)
        # Senders retry a 5xx. Trying each request again would multiply the wait of a busy database for all that follow.
        return [one.endpoint.refuse(_not_now(error)) for one in batch]
    return [one.result.response for one in batch]


def failed(endpoint: Endpoint, request: IntakeRequest, source: Source | None, error: IntakeError) -> IntakeResult:
    """Return what is unreadable, stored with the reason for a replay."""
    event = event_of(request, source, format=endpoint.format, state=IntakeState.FAILED, reason=error.message)
    if not endpoint.has_key_in_path:
        event.headers["path"] = request.path
    return IntakeResult([event], endpoint.refuse(error), store_events, source)


@unit_of_work
def _store(results: Sequence[IntakeResult]) -> None:
    by_sink: defaultdict[Sink, list[IntakeResult]] = defaultdict(list)
    for one in results:
        by_sink[one.sink].append(one)
    for sink, of_it in by_sink.items():
        sink(of_it)


def _without_key(endpoint: Endpoint, request: IntakeRequest) -> IntakeRequest:
    key, pairs = endpoint.key(request), parse_qsl(request.query, keep_blank_values=True)
    rest = [(name, value) for name, value in pairs if value != key]
    return request if len(rest) == len(pairs) else replace(request, query=urlencode(rest))


def _not_now(error: Exception) -> IntakeError:
    return IntakeError(
        f"It could not be stored now ({type(error).__name__}); send it again.", status=503, retry_after=5
    )
