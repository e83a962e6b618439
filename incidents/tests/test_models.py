import datetime as dt

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from core.severity import Severity
from incidents.filters import ack_breached, resolve_breached
from incidents.models import Incident, SlaPolicy, Status
from incidents.models.incident import new_uid
from incidents.services import assign_person, assign_team, delete, subscribe
from incidents.sla import overdue_targets
from incidents.tests.factories import make_category, make_incident, make_policy, make_team
from users.tests.factories import make_admin, make_reporter, make_responder


class UidTests(SimpleTestCase):
    def test_it_is_a_uuid_of_version_seven(self) -> None:
        before = dt.datetime.now(dt.UTC)
        uids = [new_uid() for _ in range(100)]

        self.assertEqual({(uid.version, uid.variant) for uid in uids}, {(7, "specified in RFC 4122")})
        self.assertEqual(len(set(uids)), 100)
        made_at = dt.datetime.fromtimestamp((uids[0].int >> 80) / 1000, dt.UTC)
        self.assertLess(abs(made_at - before), dt.timedelta(seconds=1))


class FlagTests(TestCase):
    """Flags are compared in a form that an index answers."""

    def test_it_compares_flags_with_a_value(self) -> None:
        for flag in ("is_open", "is_tallied", "is_restricted", "ack_breached", "resolve_breached"):
            for value in (True, False):
                with self.subTest(flag, value=value):
                    condition = str(Incident.objects.filter(**{flag: value}).order_by().values("pk").query)

                    self.assertRegex(condition, rf"\W{flag}\W = (True|False)$")


class OverdueTests(TestCase):
    def test_it_is_the_same_to_python_and_to_the_database(self) -> None:
        now = timezone.now()
        dues = (None, now - dt.timedelta(minutes=1), now + dt.timedelta(minutes=1))
        for status in Status:
            for due in dues:
                row = Incident.objects.filter(pk=make_incident().pk)
                row.update(status=status, ack_due_at=due, resolve_due_at=due)

        for incident in Incident.objects.all():
            asked = Incident.objects.filter(pk=incident.pk)
            told = (asked.filter(ack_breached(now)).exists(), asked.filter(resolve_breached(now)).exists())

            late = overdue_targets(incident.status, incident.ack_due_at, incident.resolve_due_at, now)
            self.assertEqual(late, told, incident.status)
        self.assertEqual(Incident.objects.filter(resolve_breached(now)).count(), 3)


class VisibilityTests(TestCase):
    """Who sees which incident."""

    def test_it_shows_reporters_what_they_follow(self) -> None:
        reporter = make_reporter()
        own, followed, other = make_incident(by=reporter), make_incident(), make_incident()
        own_restricted = make_incident(by=reporter, is_restricted=True)
        subscribe(followed, reporter, by=None)

        self.assertEqual(set(Incident.objects.visible_to(reporter)), {own, followed, own_restricted})
        self.assertNotIn(other, Incident.objects.visible_to(reporter))

    def test_it_shows_responders_the_unrestricted_and_what_concerns_them(self) -> None:
        member, other = make_responder(), make_responder()
        plain, hidden = make_incident(), make_incident(is_restricted=True)
        of_team, assigned, followed = (make_incident(is_restricted=True) for _ in range(3))
        assign_team(of_team, make_team("Network", member), by=None)
        assign_person(assigned, member, by=None)
        subscribe(followed, member, by=None)

        self.assertEqual(set(Incident.objects.visible_to(member)), {plain, of_team, assigned, followed})
        self.assertEqual(set(Incident.objects.visible_to(other)), {plain})
        self.assertNotIn(hidden, Incident.objects.visible_to(member))

    def test_it_shows_administrators_everything(self) -> None:
        incidents = {make_incident(), make_incident(is_restricted=True)}

        self.assertEqual(set(Incident.objects.visible_to(make_admin())), incidents)

    def test_it_shows_each_incident_once(self) -> None:
        member = make_responder()
        incident = make_incident(by=member, is_restricted=True)
        assign_team(incident, make_team("Network", member), by=None)
        assign_team(incident, make_team("Storage", member), by=None)
        assign_person(incident, member, by=None)

        self.assertEqual(Incident.objects.visible_to(member).count(), 1)

    def test_it_shows_nobody_what_was_deleted(self) -> None:
        reporter, member = make_reporter(), make_responder()
        incident = make_incident(by=reporter)
        assign_person(incident, member, by=None)
        delete(incident, by=None)

        for person in (reporter, member, make_admin()):
            with self.subTest(person=person):
                self.assertFalse(Incident.objects.visible_to(person).exists())


class OpenTests(TestCase):
    def test_it_follows_the_status(self) -> None:
        incident = make_incident()
        for status in Status:
            with self.subTest(status=status):
                Incident.objects.filter(pk=incident.pk).update(status=status)

                stored = Incident.objects.get(pk=incident.pk)
                self.assertEqual(stored.is_open, status not in (Status.RESOLVED, Status.CLOSED))
                self.assertEqual(stored.is_still_open, stored.is_open)
                self.assertEqual(Incident.objects.open().exists(), stored.is_open)


class PolicyTests(TestCase):
    def test_it_refuses_calendars_that_make_no_sense(self) -> None:
        cases = {
            "time_zone": {"time_zone": "Mars/Olympus"},
            "weekdays": {"weekdays": [7]},
            "holidays": {"holidays": ["2027-02-30"]},
            "closes_at": {"is_round_the_clock": False, "opens_at": dt.time(9), "closes_at": dt.time(9)},
        }
        for field, values in cases.items():
            with self.subTest(field), self.assertRaises(ValidationError) as refusal:
                SlaPolicy(name="P", severity=Severity.HIGH, **values).clean()
            self.assertEqual(list(refusal.exception.message_dict), [field])
        with self.assertRaises(ValidationError):
            SlaPolicy(name="P", severity=Severity.HIGH, is_round_the_clock=False, weekdays=[]).clean()

    def test_it_refuses_lists_that_are_none(self) -> None:
        for values in ({"weekdays": "12345"}, {"weekdays": [[1]]}, {"holidays": 7}, {"holidays": [20270101]}):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                SlaPolicy(name="P", severity=Severity.HIGH, **values).clean()

    def test_it_is_the_only_one_of_its_case(self) -> None:
        category = make_category()
        make_policy(severity=Severity.HIGH, category=category, name="One")

        for fields in ({"category": category}, {"category": None}):
            with self.subTest(fields=fields), self.assertRaises(IntegrityError), transaction.atomic():
                SlaPolicy.objects.create(name="Two", severity=Severity.HIGH, **fields)
