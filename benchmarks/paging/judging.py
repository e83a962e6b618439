"""Whether everybody was paged, and whether the ledger tells the truth; run inside Django (see `benchmarks.inside`)."""

import datetime as dt
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.paging import world
from benchmarks.paging.faults import AFTER_CLAIM, BEFORE_CANCEL, BEFORE_CLAIM, BEFORE_COMMIT, POINTS
from incidents.models import EventKind, Incident, IncidentEvent, Status
from incidents.services import feed, verify_all
from notifications.models import ContactMethod, Delivery, DeliveryAttempt
from notifications.vocabulary import PENDING, SENT, Kind, Outcome, State
from paging.models import EscalationRun, Page

TOLERANCE = dt.timedelta(seconds=5)  # an acknowledgement is stamped before it is committed


def is_settled(incidents: str) -> bool:
    """Return whether nothing is left to do."""
    if Incident.objects.count() < int(incidents) or feed.oldest_waiting() is not None:
        return False
    unpaged = Incident.objects.filter(status=Status.OPEN, pages__isnull=True)
    return not unpaged.exists() and not Delivery.objects.filter(state__in=PENDING).exists()


def judge(incidents: str, acknowledged: str, arrivals: str, faults: str) -> dict[str, Any]:
    """Return what holds and what does not."""
    ledger = _Ledger(Path(arrivals), Path(faults))
    titles = Counter(Incident.objects.filter(title__startswith="page ").values_list("title", flat=True))
    expected = {f"page {number}" for number in range(int(incidents))}
    pages = Counter(Page.objects.values_list("incident_id", flat=True))
    last = range(int(incidents) - int(acknowledged), int(incidents))
    answered = Incident.objects.filter(title__in=[f"page {number}" for number in last], status="acknowledged").count()
    return {
        "incidents_wrong": len(expected - set(titles)) + sum(number - 1 for number in titles.values()),
        "pages_wrong": sum(
            pages[pk] != 1 and (status == Status.OPEN or pages[pk] > 1)  # some were acknowledged before their step
            for pk, status in Incident.objects.values_list("pk", "status")
        ),
        "unacknowledged": int(acknowledged) - answered,
        "stuck": _stuck(),
        "timeline_faults": sum(fault is not None for fault in verify_all()),
        "late_attempts": _late_attempts(),
        **ledger.facts(),
    }


def _stuck() -> int:
    now = world.timezone.now()
    overdue = now - dt.timedelta(seconds=30)
    return (
        Delivery.objects.filter(state__in=PENDING).count()
        + Delivery.objects.filter(leased_until__isnull=False).count()
        + DeliveryAttempt.objects.filter(outcome=Outcome.STARTED).count()
        + IncidentEvent.objects.waiting_for_feed().count()
        + EscalationRun.objects.filter(next_step_at__lt=overdue).count()
    )


def _late_attempts() -> int:
    """Return the attempts that began after an acknowledgement."""
    stamps = {
        pk: min(filter(None, (answered, cancelled)))
        for pk, answered, cancelled in Page.objects.values_list("pk", "answered_at", "cancelled_at")
        if answered or cancelled
    }
    attempts = DeliveryAttempt.objects.filter(delivery__page_id__in=stamps).values_list("delivery__page_id", "at")
    return sum(at > stamps[page] + TOLERANCE for page, at in attempts)


class _Ledger:
    """Every page's deliveries and attempts, beside what arrived."""

    def __init__(self, arrivals: Path, faults: Path) -> None:
        lines = (line.split("\t", 2) for line in arrivals.read_text().splitlines())
        self.arrived = Counter(recipient for _at, recipient, _about in lines)
        self.struck = [json.loads(line) for line in faults.read_text().splitlines()] if faults.exists() else []
        methods = dict(ContactMethod.objects.values_list("pk", "address"))
        self.deliveries = list(Delivery.objects.filter(kind=Kind.PAGE))
        self.address = {row.pk: methods.get(row.method_id or 0, "") for row in self.deliveries}
        self.attempts: dict[int, list[DeliveryAttempt]] = defaultdict(list)
        for attempt in DeliveryAttempt.objects.order_by("number"):
            self.attempts[attempt.delivery_id].append(attempt)

    def messages(self, row: Delivery) -> int:
        return self.arrived[self.address[row.pk]]

    def facts(self) -> dict[str, Any]:
        sent = [row for row in self.deliveries if row.state in SENT]
        doubles = {row.pk: self.messages(row) - 1 for row in self.deliveries if self.messages(row) > 1}
        every = [attempt for of_row in self.attempts.values() for attempt in of_row]
        return {
            "messages": sum(self.arrived.values()),
            "delivered": sum(self.messages(row) > 0 for row in self.deliveries),
            "withdrawn": sum(row.state == State.CANCELLED and not self.messages(row) for row in self.deliveries),
            "undelivered": sum(not self.messages(row) for row in sent)
            + sum(row.state == State.FAILED for row in self.deliveries)
            + self._pages_without_delivery(),
            "doubles": sum(doubles.values()),
            "expected_doubles": sum(len(one["receipts"]) for one in self.struck if one["point"] == BEFORE_COMMIT),
            "unexplained_doubles": sum(self._is_unexplained(row) for row in self.deliveries if row.pk in doubles),
            "attempts": len(every),
            "interrupted": sum(attempt.outcome == Outcome.INTERRUPTED for attempt in every),
            "bundled": sum(row.bundle_count for row in self.deliveries),
            "ledger_faults": [fault for row in self.deliveries if row.bundle_id is None for fault in self._faults(row)],
            "points": {point: self._at_point(point) for point in POINTS},
        }

    def _pages_without_delivery(self) -> int:
        known = {row.page_id for row in self.deliveries}
        return sum(pk not in known for pk in Page.objects.values_list("pk", flat=True))

    def _is_unexplained(self, row: Delivery) -> bool:
        """Return whether more arrived than attempts that may have: those with a receipt, or without an outcome."""
        may_have = [one for one in self.attempts[row.pk] if one.outcome not in (Outcome.RETRY, Outcome.FAILED)]
        lost = [one for one in self.attempts[row.pk] if "after it had received" in one.detail]
        return self.messages(row) > len(may_have) + len(lost)

    def _faults(self, row: Delivery) -> list[str]:
        """Return what does not add up in a row's part of the ledger."""
        attempts, name = self.attempts[row.pk], f"delivery {row.pk}, {row.state}"
        outcomes = [attempt.outcome for attempt in attempts]
        checks = {
            "attempts are not counted": [one.number for one in attempts] != list(range(1, row.attempt_count + 1)),
            "an attempt has no outcome": Outcome.STARTED in outcomes,
            "it is sent without a receipt": row.state in SENT and Outcome.ACCEPTED not in outcomes,
            "it has no reason": row.state in (State.FAILED, State.CANCELLED) and not row.reason,
            "a message arrived without an attempt": self.messages(row) > len(attempts),
            "an attempt failed without a reason": any(
                one.outcome in (Outcome.RETRY, Outcome.FAILED, Outcome.INTERRUPTED) and not one.detail
                for one in attempts
            ),
        }
        return [f"{name}: {fault}" for fault, is_so in checks.items() if is_so]

    def _at_point(self, point: str) -> dict[str, int]:
        struck = [one for one in self.struck if one["point"] == point]
        if point == BEFORE_CANCEL:
            pages = [pk for one in struck for pk in one["pages"]]
            return {"struck": len(struck), "listed": len(pages), "sent": 0, "wrong": self._not_withdrawn(pages)}
        key = {BEFORE_CLAIM: "due", AFTER_CLAIM: "claimed", BEFORE_COMMIT: "receipts"}[point]
        listed = [pk for one in struck for pk in one[key]]
        rows = {row.pk: row for row in self.deliveries if row.pk in listed}
        wrong = sum(not self._is_as_expected(row, point, struck) for row in rows.values())
        return {
            "struck": len(struck),
            "listed": len(listed),
            "sent": sum(self.messages(row) for row in rows.values()),
            "wrong": wrong,
        }

    def _is_as_expected(self, row: Delivery, point: str, struck: list[dict[str, Any]]) -> bool:
        """Return whether as many messages arrived as the kills at named points let expect, and others explain."""
        interrupted = sum(attempt.outcome == Outcome.INTERRUPTED for attempt in self.attempts[row.pk])
        lost = sum("after it had received" in attempt.detail for attempt in self.attempts[row.pk])
        with_receipt = sum(row.pk in one.get("receipts", ()) for one in self.struck)
        claimed = sum(row.pk in one.get("claimed", ()) for one in self.struck)
        least = with_receipt + (row.state != State.CANCELLED)
        most = 1 + lost + interrupted - claimed
        is_counted = interrupted >= with_receipt + claimed
        return least <= self.messages(row) <= most and is_counted

    def _not_withdrawn(self, pages: list[int]) -> int:
        """Return the pages that stayed, and acknowledgements that were recorded more or less than once."""
        found = Page.objects.in_bulk(pages)
        wrong = sum(page.answered_at is None and page.cancelled_at is None for page in found.values())
        for page in found.values():
            events = IncidentEvent.objects.filter(incident=page.incident_id, kind=EventKind.ACKNOWLEDGED)
            wrong += events.count() != 1
        return wrong + len(set(pages) - set(found))
