"""How often a source may send: counted per minute and server process."""

import threading
import time

from django.conf import settings

from intake.endpoints import Endpoint
from intake.models import Source
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import event_of, store_events
from intake.vocabulary import IntakeState

MINUTE = 60.0


class RateCounter:
    """Counts requests by source in the running minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[int, int] = {}

    def count(self, source_id: int, now: float) -> int:
        """Return how many this minute, this one included; `now` is in seconds."""
        with self._lock:
            minute = int(now // MINUTE)
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            self._counts[source_id] = self._counts.get(source_id, 0) + 1
            return self._counts[source_id]


rate_counter = RateCounter()


def rate_limited(endpoint: Endpoint, source: Source) -> IntakeResult | IntakeResponse | None:
    """Return the answer to a request that is one too many; the first of a minute is stored for an administrator to
    see."""
    now = time.time()
    allowed = -(-source.rate_limit // settings.WEB_PROCESSES)
    count = rate_counter.count(source.pk, now)
    if count <= allowed:
        return None
    wait = int(MINUTE - now % MINUTE) + 1
    error = IntakeError(
        f"{source.name} sent more than its {source.rate_limit:,} requests a minute; wait {wait} seconds.",
        status=429,
        retry_after=wait,
    )
    if count > allowed + 1:
        return endpoint.refuse(error)
    return _record_excess(endpoint, source, error)


def _record_excess(endpoint: Endpoint, source: Source, error: IntakeError) -> IntakeResult:
    nothing = IntakeRequest("POST", "", {})
    event = event_of(nothing, source, state=IntakeState.LIMITED, reason=error.message)
    return IntakeResult([event], endpoint.refuse(error), store_events, source)
