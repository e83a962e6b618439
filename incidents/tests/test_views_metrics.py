import datetime as dt
import math
import random
from collections import Counter
from typing import Any

import time_machine
from django.test import TestCase
from django.utils import timezone

from core.severity import Severity
from incidents import jobs
from incidents.models import Incident, Subscription
from incidents.services import delete, update
from incidents.tests.factories import MONDAY, make_category, make_policy, make_service, make_team, report
from incidents.vocabulary import OPEN_STATUSES, Status
from incidents.workflow import actions_from
from responders.models import Membership
from users.models import User
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

SUMMARY = "/api/v1/incidents/summary/"
SLA = "/api/v1/metrics/sla/"
NOW = MONDAY + dt.timedelta(days=40)


class LivedInCase(TestCase):
    """A few weeks in which people did all kinds of things, by chance (always the same)."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.chance = random.Random(11)
        cls.reporter, cls.member, cls.outsider, cls.admin = (
            make_reporter(),
            make_responder(),
            make_responder(),
            make_admin(),
        )
        cls.people = [cls.reporter, cls.member, cls.outsider, cls.admin]
        cls.teams = [make_team("Database", cls.member), make_team("Elsewhere", cls.outsider)]
        cls.categories = [make_category("network"), make_category("disk")]
        cls.services = [make_service("payments"), make_service("search")]
        for severity in (Severity.LOW, Severity.MEDIUM, Severity.HIGH):
            make_policy(severity=severity, ack_minutes=30 * severity, resolve_minutes=600 * severity)
        make_policy(severity=Severity.CRITICAL, ack_minutes=None, resolve_minutes=None)
        for _number in range(60):
            cls.live(MONDAY + dt.timedelta(minutes=cls.chance.randint(0, 55_000)))

    @classmethod
    def live(cls, moment: dt.datetime) -> None:
        """One incident's life."""
        chance = cls.chance
        with time_machine.travel(moment, tick=False):
            incident = report(
                by=chance.choice(cls.people),
                title="x",
                severity=chance.choice(list(Severity)),
                category=chance.choice([None, *cls.categories]),
                services=chance.sample(cls.services, chance.randint(0, 2)),
            )
            fields = {"team": chance.choice([None, *cls.teams]), "is_restricted": chance.random() < 0.25}
            incident = update(incident, by=None, fields=fields)
        for _step in range(chance.randint(0, 6)):
            moment += dt.timedelta(seconds=chance.randint(1, 60_000))
            with time_machine.travel(moment, tick=False):
                if chance.random() < 0.2:
                    incident = update(incident, by=None, fields={"severity": chance.choice(list(Severity))})
                else:
                    action = chance.choice(actions_from(incident.status))
                    incident = update(incident, by=None, status=action.to_status, note="Because")
        if chance.random() < 0.1:
            delete(incident, by=None)

    def seen_by(self, person: User) -> list[Incident]:
        """What the contract lets a person see, by hand."""
        teams = set(Membership.objects.filter(user=person).values_list("team_id", flat=True))
        followed = set(Subscription.objects.filter(user=person).values_list("incident_id", flat=True))
        return [
            incident
            for incident in Incident.objects.all()
            if incident.deleted_at is None
            and (
                person.is_admin
                or incident.pk in followed
                or (person.is_responder and (not incident.is_restricted or incident.team_id in teams))
            )
        ]


class SummaryTests(LivedInCase):
    def by_hand(self, incidents: list[Incident]) -> dict[str, Any]:
        statuses = Counter(incident.status for incident in incidents)
        severities = Counter(Severity(incident.severity).word for incident in incidents)
        return {
            "total": len(incidents),
            "open": sum(incident.status in OPEN_STATUSES for incident in incidents),
            "by_status": {status.value: statuses[status] for status in Status},
            "by_severity": {severity.word: severities[severity.word] for severity in Severity},
            "by_team": dict(Counter(str(incident.team_id or "none") for incident in incidents)),
            "by_category": dict(Counter(str(incident.category_id or "none") for incident in incidents)),
        }

    def test_it_equals_the_rows_at_any_moment(self) -> None:
        for number in range(4):
            for person in self.people:
                with self.subTest(person.role, number=number):
                    answer = client_of(person).get(SUMMARY).json()

                    self.assertEqual(answer, self.by_hand(self.seen_by(person)))
            if number == 0:
                jobs.update_tallies(timezone.now())
            else:
                self.live(NOW)
                self.shuffle()

    def shuffle(self) -> None:
        """Change some that are counted already."""
        for incident in Incident.objects.filter(deleted_at__isnull=True).order_by("pk")[:6]:
            fields = {"is_restricted": not incident.is_restricted, "team": self.chance.choice([None, *self.teams])}
            update(incident, by=None, fields=fields)

    def test_it_equals_the_rows_under_filters(self) -> None:
        for person in self.people:
            with self.subTest(person.role):
                answer = client_of(person).get(SUMMARY, {"severity": "high,low", "is_open": "true"}).json()

                rows = [row for row in self.seen_by(person) if row.severity in (1, 3) and row.status in OPEN_STATUSES]
                self.assertEqual(answer, self.by_hand(rows))


class SlaTests(LivedInCase):
    def sla(self, person: User, **parameters: str) -> dict[str, Any]:
        with time_machine.travel(NOW, tick=False):
            answer: dict[str, Any] = client_of(person).get(SLA, parameters).json()
        return answer

    def by_hand(self, incidents: list[Incident]) -> dict[str, Any]:
        ack = [int((row.acknowledged_at - row.created_at).total_seconds()) for row in incidents if row.acknowledged_at]
        resolve = [int((row.resolved_at - row.created_at).total_seconds()) for row in incidents if row.resolved_at]
        verdicts = {
            "ack": [self.ack_verdict(row) for row in incidents],
            "resolve": [self.resolve_verdict(row) for row in incidents],
        }
        return {
            "total": len(incidents),
            "open": sum(row.status in OPEN_STATUSES for row in incidents),
            "acknowledged": self.times(ack, len(incidents)),
            "resolved": self.times(resolve, len(incidents)),
            "compliance": {name: self.share(found) for name, found in verdicts.items()},
            "breached": {name: found.count(False) for name, found in verdicts.items()},
            "reopened": sum(row.reopen_count > 0 for row in incidents),
        }

    def ack_verdict(self, row: Incident) -> bool | None:
        """Met, missed, or not counted. A reopened incident is judged by the clock it got when it was reopened."""
        if row.ack_due_at is None:
            return False if row.ack_breached else None
        stamp = row.acknowledged_at
        if row.reopen_count:
            again = row.events.filter(occurred_at__gte=row.clock_started_at, seq__gt=self.reopened(row))
            first = again.filter(kind__in=["acknowledged", "started", "resolved"]).order_by("seq").first()
            stamp = first.occurred_at if first else None
        if stamp is None:
            return False if row.ack_due_at < NOW else None
        return stamp <= row.ack_due_at

    def reopened(self, row: Incident) -> int:
        return row.events.filter(kind="reopened").order_by("-seq").values_list("seq", flat=True)[0]

    def resolve_verdict(self, row: Incident) -> bool | None:
        if row.resolve_due_at is None:
            return False if row.resolve_breached else None
        if row.resolved_at:
            return row.resolved_at <= row.resolve_due_at
        stop = row.paused_at if row.status == Status.ON_HOLD else NOW
        return False if row.resolve_due_at < stop else None

    def times(self, seconds: list[int], total: int) -> dict[str, Any]:
        seconds = sorted(seconds)
        ranks = {
            f"p{rank}_seconds": seconds[math.ceil(rank / 100 * len(seconds)) - 1] if seconds else None
            for rank in (50, 90, 95)
        }
        mean = sum(seconds) / len(seconds) if seconds else None
        return {"count": len(seconds), "mean_seconds": mean, **ranks, "pending": total - len(seconds)}

    def share(self, verdicts: list[bool | None]) -> float | None:
        counted = [verdict for verdict in verdicts if verdict is not None]
        return counted.count(True) / len(counted) if counted else None

    def keys_of(self, row: Incident, group_by: str) -> list[Any]:
        created = row.created_at.date()
        return {
            "severity": lambda: [Severity(row.severity).word],
            "priority": lambda: [f"p{5 - row.priority}"],
            "category": lambda: [row.category.slug if row.category else None],
            "team": lambda: [row.team_id],
            "service": lambda: list(row.services.values_list("slug", flat=True)) or [None],
            "day": lambda: [created.isoformat()],
            "week": lambda: [(created - dt.timedelta(days=created.weekday())).isoformat()],
            "month": lambda: [f"{created:%Y-%m}"],
        }[group_by]()

    def assert_equals_rows(self, person: User, group_by: str) -> None:
        incidents = self.seen_by(person)
        expected: dict[Any, list[Incident]] = {}
        for row in incidents:
            for key in self.keys_of(row, group_by):
                expected.setdefault(key, []).append(row)
        answer = self.sla(person, group_by=group_by)
        groups = {group.pop("key"): group for group in answer.pop("groups")}
        self.assertEqual(answer, self.by_hand(incidents))
        self.assertEqual(groups, {key: self.by_hand(rows) for key, rows in expected.items()})

    def test_it_equals_the_rows_in_every_grouping(self) -> None:
        for group_by in ("severity", "priority", "category", "team", "service", "day", "week", "month"):
            for person in (self.reporter, self.admin):
                with self.subTest(group_by, role=person.role):
                    self.assert_equals_rows(person, group_by)

    def test_it_equals_the_rows_for_each_person(self) -> None:
        for person in self.people:
            with self.subTest(person.email):
                self.assert_equals_rows(person, "severity")

    def test_it_says_the_same_however_it_is_read(self) -> None:
        """Of everything, percentiles are read off an index; under a filter, even one that all pass, they are sorted."""
        for person in (self.member, self.outsider, self.admin):
            for group_by in ("severity", "team", "month"):
                with self.subTest(group_by, role=person.role):
                    read_off = self.sla(person, group_by=group_by)

                    self.assertEqual(self.sla(person, group_by=group_by, created_after="2000-01-01"), read_off)

    def test_it_equals_the_rows_after_the_job_marked_breaches(self) -> None:
        before = self.sla(self.admin, group_by="severity")

        with time_machine.travel(NOW, tick=False):
            jobs.mark_breaches(NOW)

        self.assertEqual(self.sla(self.admin, group_by="severity"), before)

    def test_it_obeys_the_filters(self) -> None:
        middle = MONDAY + dt.timedelta(days=20)
        rows = self.seen_by(self.admin)
        table: list[tuple[dict[str, str], Any]] = [
            ({"severity": "high,critical"}, lambda row: row.severity >= 3),
            ({"created_after": middle.isoformat()}, lambda row: row.created_at >= middle),
            ({"created_before": middle.isoformat()}, lambda row: row.created_at < middle),
            ({"team": "none"}, lambda row: row.team_id is None),
            ({"service": "payments"}, lambda row: row.services.filter(slug="payments").exists()),
            ({"breached": "ack"}, lambda row: self.ack_verdict(row) is False),
            ({"breached": "resolve"}, lambda row: self.resolve_verdict(row) is False),
            ({"breached": "any"}, lambda row: False in (self.ack_verdict(row), self.resolve_verdict(row))),
            ({"status": "closed"}, lambda row: row.status == "closed"),
            ({"q": "nothing"}, lambda row: False),
        ]
        for parameters, matches in table:
            with self.subTest(parameters):
                answer = self.sla(self.admin, **parameters)

                answer.pop("groups")
                self.assertEqual(answer, self.by_hand([row for row in rows if matches(row)]))

    def test_it_refuses_groupings_it_does_not_have(self) -> None:
        answer = client_of(self.admin).get(SLA, {"group_by": "title"})

        self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "group_by"))
