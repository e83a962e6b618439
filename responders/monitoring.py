import datetime as dt
import threading
from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from core.server.metrics import register_metrics
from responders.services.gaps import gap_seconds

KEPT = dt.timedelta(minutes=1)


class _Gaps:
    """Gaps of the week ahead, at most a minute old; each renders a schedule."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: tuple[dt.datetime, dict[str, float]] | None = None

    def read(self, now: dt.datetime) -> dict[str, float]:
        with self._lock:
            if self._read is None or abs(now - self._read[0]) >= KEPT:
                self._read = now, gap_seconds(now)
            return self._read[1]


_gaps = _Gaps()


def register() -> None:
    register_metrics(collect_gaps)


def collect_gaps() -> Iterable[Metric]:
    family = GaugeMetricFamily(
        "incident_response_oncall_gap_seconds",
        "Seconds without anybody on call in the next 7 days.",
        labels=["schedule"],
    )
    for name, seconds in sorted(_gaps.read(timezone.now()).items()):
        family.add_metric([name], seconds)
    yield family
