"""Send a source its kind's first example."""

import time
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.utils.translation import gettext as _

from alerts.endpoints.intake import IntakeEndpoint, accepted
from alerts.services.processing import parse, process_waiting
from alerts.updates import AlertUpdate
from core.errors import Conflict
from intake.models import IntakeEvent, Source
from intake.readers import example_request, examples, payload_readers
from intake.requests import IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import event_of, store_events
from intake.serving import serve
from intake.vocabulary import IntakeState

TEST_SECONDS = 5.0


@dataclass
class Sample:
    """The outcome; `event` is None when rejected."""

    status: int = 0
    detail: str = ""
    event: IntakeEvent | None = None
    updates: list[AlertUpdate] = field(default_factory=list)


class _SampleEndpoint(IntakeEndpoint):
    """For a known sender without signature or delivery number."""

    def __init__(self, source: Source) -> None:
        self.sender, self.sample = source, Sample()

    def source(self, request: IntakeRequest) -> Source | None:
        return self.sender

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        self.sample.updates = parse(self.sender, request)
        self.sample.event = event_of(request, self.sender)
        return IntakeResult([self.sample.event], accepted(len(self.sample.updates)), store_events, self.sender)


def send_sample(source: Source) -> Sample:
    """Send the sample. Raises Conflict without one, or for a disabled source."""
    if source.kind not in payload_readers():
        raise Conflict(
            _("A source of kind %(kind)s has no sample: it has its own endpoints.") % {"kind": source.kind},
            code="no_sample",
        )
    if not source.is_enabled:
        raise Conflict(
            _("%(source)s is disabled; its requests are refused.") % {"source": source.name}, code="source_disabled"
        )
    endpoint = _SampleEndpoint(source)
    response = serve(endpoint, example_request(examples(payload_readers()[source.kind])[0]))
    endpoint.sample.status = response.status
    if response.status >= 400:
        body: Any = orjson.loads(response.body)
        endpoint.sample.detail, endpoint.sample.event = str(body.get("detail", "")), None
    return endpoint.sample


def process_sample(event: IntakeEvent) -> IntakeEvent:
    """Process the event here unless a worker is quicker; it may still be waiting."""
    until = time.monotonic() + TEST_SECONDS
    while time.monotonic() < until and IntakeEvent.objects.filter(pk=event.pk, state=IntakeState.WAITING).exists():
        if not process_waiting():  # a worker has it
            time.sleep(0.05)
    return event
