"""Times in the back office: to the second, with the zone of whoever looks, whatever the page."""

import datetime as dt

from auditlog.models import LogEntry as AuditEntry
from django.test import TestCase
from django.urls import reverse

from alerts.tests.factories import make_source
from incidents.tests.factories import make_incident
from logs.models import DetectionRule, LogEntry
from logs.vocabulary import Level
from users.models import PersonalToken, Session
from users.tests.factories import make_admin

AT = dt.datetime(2026, 7, 1, 21, 30, 45, tzinfo=dt.UTC)
SHOWN = "1 Jul 2026, 23:30:45 CEST"


class AdminTimesTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin(time_zone="Europe/Berlin")
        self.client.force_login(self.admin)

    def shown(self, name: str, *args: object) -> str:
        return self.client.get(reverse(f"admin:{name}", args=args)).content.decode()

    def test_it_tells_when_accounts_and_sessions_were_made(self) -> None:
        type(self.admin).objects.filter(pk=self.admin.pk).update(created_at=AT)
        session = Session.objects.create(user=self.admin, expires_at=AT)
        token = PersonalToken.objects.create(user=self.admin, name="CI", digest="0" * 64, prefix="abcd", expires_at=AT)

        pages = [
            self.shown("users_user_change", self.admin.pk),
            self.shown("users_session_changelist"),
            self.shown("users_session_change", session.pk),
            self.shown("users_personaltoken_changelist"),
            self.shown("users_personaltoken_change", token.pk),
        ]

        for number, page in enumerate(pages):
            with self.subTest(number):
                self.assertIn(SHOWN, page)

    def test_it_tells_when_something_was_done_and_from_when_to_when(self) -> None:
        source = make_source()
        entry = AuditEntry.objects.create(
            action=AuditEntry.Action.UPDATE,
            content_type_id=AuditEntry.objects.first().content_type_id,
            object_pk=str(source.pk),
            object_repr="x",
            changes={"ends_at": ["2026-07-01 21:30:45.123456", "None"], "name": ["2026", "b"]},
        )
        AuditEntry.objects.filter(pk=entry.pk).update(timestamp=AT)

        self.assertIn(SHOWN, self.shown("auditlog_logentry_changelist"))
        self.assertEqual(self.shown("auditlog_logentry_change", entry.pk).count(SHOWN), 2)

    def test_it_tells_when_a_line_was_logged(self) -> None:
        line = LogEntry.objects.create(timestamp=AT, received_at=AT, level=Level.ERROR, message="Payment refused")

        self.assertIn(SHOWN, self.shown("logs_logentry_changelist"))
        self.assertEqual(self.shown("logs_logentry_change", line.pk).count(SHOWN), 2)

    def test_it_says_in_which_zone_a_rule_is_tried(self) -> None:
        rule = DetectionRule.objects.first()

        self.assertIn("Times are in Europe/Berlin", self.shown("logs_detectionrule_try", rule.pk))

    def test_it_tells_when_an_incident_happened(self) -> None:
        incident = make_incident(occurred_at=AT, at=AT)

        self.assertGreaterEqual(self.shown("incidents_incident_change", incident.pk).count(SHOWN), 3)


class SortingTests(TestCase):
    def test_it_opens_lists_whatever_column_an_address_sorts_by(self) -> None:
        self.client.force_login(make_admin())
        LogEntry.objects.create(timestamp=AT, received_at=AT, level=Level.ERROR, message="Payment refused")
        lists = (
            "logs_logentry",
            "alerts_alert",
            "intake_intakeevent",
            "auditlog_logentry",
            "users_user",
            "incidents_incident",
        )

        for name in lists:
            for column in range(9):
                with self.subTest(name, column=column):
                    answer = self.client.get(reverse(f"admin:{name}_changelist"), {"o": f"-{column}.{column}"})

                    self.assertEqual(answer.status_code, 200)
