import datetime as dt
from typing import Any
from unittest import mock

from django.core import signing
from django.test import TestCase
from django.utils import timezone

from console import undo
from core.errors import Conflict
from core.severity import Priority, Severity
from incidents import services
from incidents.models import Incident, Status
from incidents.tests.factories import kinds_of, make_incident, make_team
from users.models import User
from users.tests.factories import make_reporter, make_responder


class UndoTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada, cls.ben = make_responder(), make_responder()
        cls.team = make_team("Database", cls.ada, cls.ben)
        cls.incident = make_incident(by=make_reporter())
        services.assign_team(cls.incident, cls.team, by=None)

    def change(self, user: User | None = None, **what: Any) -> str:
        user = user or self.ada
        before = undo.snapshots([self.incident.pk])
        changed = services.update(self.incident, by=user, **what)
        return undo.undo_token(undo.changes_since(before, user, versions={changed.pk: changed.version}), user)

    def stored(self) -> Incident:
        return Incident.objects.get(pk=self.incident.pk)

    def test_it_sets_fields_back(self) -> None:
        token = self.change(fields={"assignee": self.ben, "severity": Severity.CRITICAL})

        results = undo.apply_undo(token, self.ada)

        self.assertEqual(results, [undo.Undone(self.incident.pk)])
        stored = self.stored()
        self.assertEqual((stored.assignee, stored.severity, stored.priority), (None, Severity.MEDIUM, Priority.P3))

    def test_it_returns_a_priority_to_following_the_severity(self) -> None:
        token = self.change(fields={"priority": Priority.P1})

        undo.apply_undo(token, self.ada)

        self.assertEqual((self.stored().priority, self.stored().is_priority_given), (Priority.P3, False))

    def test_it_reopens_what_was_resolved_where_it_was(self) -> None:
        for status in (Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.ON_HOLD):
            with self.subTest(status):
                self.incident = make_incident(by=make_reporter())
                if status == Status.ON_HOLD:
                    services.transition(self.incident, Status.IN_PROGRESS, by=self.ada)
                services.transition(self.incident, status, by=self.ada, note="Waiting.")
                token = self.change(status=Status.RESOLVED)

                undo.apply_undo(token, self.ada)

                self.assertEqual(self.stored().status, status)
                reopened = self.incident.events.get(kind="reopened")
                self.assertEqual(reopened.body, f"Undone by {self.ada.name}.")

    def test_it_offers_nothing_for_an_acknowledgement(self) -> None:
        self.assertEqual(self.change(status=Status.ACKNOWLEDGED), "")

    def test_it_offers_nothing_where_nothing_changed(self) -> None:
        self.assertEqual(self.change(fields={"severity": Severity.MEDIUM}), "")

    def test_it_offers_nothing_to_whoever_handed_it_to_another_team(self) -> None:
        other = make_team("Network", make_responder())

        self.assertEqual(self.change(fields={"team": other}), "")

    def test_it_refuses_when_somebody_changed_it_meanwhile(self) -> None:
        token = self.change(fields={"assignee": self.ben})
        services.update(self.incident, by=self.ben, fields={"location": "Room 4"})

        [result] = undo.apply_undo(token, self.ada)

        self.assertEqual(getattr(result.error, "code", ""), "changed_meanwhile")
        self.assertEqual(self.stored().assignee, self.ben)

    def test_it_undoes_once(self) -> None:
        token = self.change(fields={"assignee": self.ben})
        undo.apply_undo(token, self.ada)

        [result] = undo.apply_undo(token, self.ada)

        self.assertIsNotNone(result.error)
        self.assertEqual(kinds_of(self.incident).count("assignee_changed"), 2)

    def test_it_undoes_despite_a_comment(self) -> None:
        token = self.change(fields={"assignee": self.ben})
        services.comment(self.incident, "Looking.", by=self.ben)

        [result] = undo.apply_undo(token, self.ada)

        self.assertIsNone(result.error)

    def test_it_refuses_others_late_and_forged_tokens(self) -> None:
        token = self.change(fields={"assignee": self.ben})
        late = timezone.now() + dt.timedelta(seconds=undo.ACCEPTED_SECONDS + 1)

        for user, given, now in ((self.ben, token, timezone.now()), (self.ada, token, late), (self.ada, "x", late)):
            with mock.patch.object(signing.time, "time", return_value=now.timestamp()), self.assertRaises(Conflict):
                undo.apply_undo(given, user)
        self.assertEqual(self.stored().assignee, self.ben)

    def test_it_refuses_those_who_lost_the_right(self) -> None:
        token = self.change(fields={"assignee": self.ben})
        self.ada.memberships.all().delete()

        [result] = undo.apply_undo(token, User.objects.get(pk=self.ada.pk))

        self.assertEqual(getattr(result.error, "code", ""), "permission_denied")

    def test_it_undoes_each_of_many_by_itself(self) -> None:
        many = [make_incident(by=make_reporter()) for _ in range(3)]
        before = undo.snapshots([one.pk for one in many])
        results = services.update_many([one.pk for one in many], by=self.ada, status=Status.RESOLVED)
        versions = {one["id"]: one["version"] for one in results}
        token = undo.undo_token(undo.changes_since(before, self.ada, versions=versions), self.ada)
        services.transition(many[1], Status.CLOSED, by=self.ben)

        undone = undo.apply_undo(token, self.ada)

        self.assertEqual([one.error is None for one in undone], [True, False, True])
        self.assertEqual(Incident.objects.filter(status=Status.OPEN, pk__in=before).count(), 2)
