"""What is known of Splunk: from the rules that search it, or by searching it now."""

import datetime as dt

from logs.models import DetectionRule
from logs.sources.outside import Limits, Store, StoreFailed, store_of

KIND = "splunk"
PROBE = "search index=* | head 1"
LIMITS = Limits(rows=1, max_bytes=2**20, seconds=10)


class Connection:
    """Whether the last search of each enabled rule worked; read in the background."""

    def __init__(self) -> None:
        self._is_failing = False

    def read(self) -> bool:
        """Return whether there are such rules, and all found what they looked for."""
        rules = list(
            DetectionRule.objects.filter(store=KIND, is_enabled=True).values_list("failures", "evaluated_until")
        )
        is_usable = not _store().why_unusable()
        self._is_failing = any(failures for failures, _until in rules)
        return is_usable and not self._is_failing and any(until is not None for _failures, until in rules)

    def is_well(self, is_connected: bool) -> bool:
        return is_connected or not self._is_failing


def failure(now: dt.datetime) -> str:
    """Return why Splunk cannot be searched at this moment, or ""; waits for it, within limits."""
    store = _store()
    if missing := store.why_unusable():
        return missing
    try:
        store.search(store.validate(PROBE), now - dt.timedelta(minutes=1), now, LIMITS)
    except StoreFailed as error:
        return error.message
    return ""


def _store() -> Store:
    return store_of(KIND)
