"""What others do with pages: deliver them, cancel them, and know how people would be reached."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paging.models import Page


@dataclass(frozen=True)
class Reach:
    """A way by which a person would be reached, so many minutes after they are paged."""

    method: str
    after_minutes: float = 0


PageHandler = Callable[[Sequence[Page]], object]
CancelHandler = Callable[[Collection[int], dt.datetime], object]
# (users, importance, at) -> ways of each
Describe = Callable[[Collection[int], str, dt.datetime], Mapping[int, Sequence[Reach]]]
# pages -> what became of each, as JSON
Detail = Callable[[Sequence[Page]], Mapping[int, Sequence[Mapping[str, Any]]]]
# pages -> those that nothing is delivered for
Undelivered = Callable[[Sequence[Page]], Collection[int]]
# now -> sentences on what is stuck
Finding = Callable[[dt.datetime], Iterable[str]]
# (incidents, now) -> why some of them page nobody for now
Pause = Callable[[Collection[int], dt.datetime], Mapping[int, str]]

_page_handlers: list[PageHandler] = []
_cancel_handlers: list[CancelHandler] = []
_reach: list[Describe] = []
_details: list[Detail] = []
_undelivered: list[Undelivered] = []
_findings: list[Finding] = []
_pauses: list[Pause] = []


def register_page_handler(handler: PageHandler) -> None:
    """Call this with new pages, in the transaction that writes them; it only writes rows."""
    _page_handlers.append(handler)


def register_cancel_handler(handler: CancelHandler) -> None:
    """Call this with the ids of pages that need no answer any more, and when, in the cancelling transaction."""
    _cancel_handlers.append(handler)


def register_reach(describe: Describe) -> None:
    _reach.append(describe)


def register_delivery_details(detail: Detail) -> None:
    _details.append(detail)


def register_undelivered(find: Undelivered) -> None:
    """Find pages that nothing is delivered for; the audit hands them to the page handlers again."""
    _undelivered.append(find)


def register_finding(find: Finding) -> None:
    _findings.append(find)


def register_pause(find: Pause) -> None:
    """Hold the pages of some incidents for now: of a silence, a maintenance."""
    _pauses.append(find)


def hand_over(pages: Sequence[Page]) -> None:
    for handler in _page_handlers if pages else ():
        handler(pages)


def withdraw(page_ids: Collection[int], at: dt.datetime) -> None:
    """Have what waits for these pages cancelled."""
    for handler in _cancel_handlers if page_ids else ():
        handler(page_ids, at)


def reach_of(user_ids: Collection[int], importance: str, at: dt.datetime) -> dict[int, list[Reach]]:
    """Return how each person would be reached, soonest first."""
    found: dict[int, list[Reach]] = {number: [] for number in user_ids}
    for describe in _reach if user_ids else ():
        for number, ways in describe(user_ids, importance, at).items():
            found[number].extend(ways)
    return {number: sorted(ways, key=lambda way: way.after_minutes) for number, ways in found.items()}


def has_reach() -> bool:
    return bool(_reach)


def delivery_details(pages: Sequence[Page]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {page.pk: [] for page in pages}
    for detail in _details if pages else ():
        for number, deliveries in detail(pages).items():
            found[number].extend(deliveries)
    return found


def undelivered(pages: Sequence[Page]) -> set[int]:
    return {number for find in (_undelivered if pages else ()) for number in find(pages)}


def findings(now: dt.datetime) -> list[str]:
    return [sentence for find in _findings for sentence in find(now)]


def paused(incident_ids: Collection[int], now: dt.datetime) -> dict[int, str]:
    """Return why incidents page nobody for now; asked whenever a step is due."""
    return {
        number: why for find in (_pauses if incident_ids else ()) for number, why in find(incident_ids, now).items()
    }
