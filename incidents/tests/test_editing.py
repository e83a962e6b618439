from django.test import TestCase

from core.errors import DomainError, InvalidTransition, PermissionRefused, StaleVersion
from core.severity import Priority, Severity
from incidents.models import EventKind, Incident, Status
from incidents.services import assign_person, assign_team, history, revert, transition, update
from incidents.tests.factories import (
    MONDAY,
    folded,
    kinds_of,
    make_category,
    make_incident,
    make_policy,
    make_service,
    make_team,
    minutes,
    report,
)
from users.models import Role
from users.tests.factories import make_admin, make_reporter, make_responder


class UpdateTests(TestCase):
    def test_it_leaves_one_event_for_each_fact(self) -> None:
        incident, category = make_incident(), make_category()
        fields = {
            "title": "Pay is down",
            "description": "All of it",
            "category": category,
            "location": "Rack 7",
            "is_restricted": True,
            "occurred_at": MONDAY,
            "services": [make_service()],
            "severity": Severity.HIGH,
            "team": make_team(),
            "assignee": make_responder(),
        }

        changed = update(incident, by=make_admin(), fields=fields, status=Status.ACKNOWLEDGED, note="Mine")

        self.assertEqual(
            kinds_of(incident)[1:],
            ["field_changed"] * 7 + ["severity_changed", "team_changed", "assignee_changed", "acknowledged"],
        )
        self.assertEqual(changed.version, incident.version + 1)
        self.assertEqual(folded(changed)["services"], ["payments"])
        self.assertIsNone(history.verify(changed))

    def test_it_leaves_no_event_for_what_is_so_already(self) -> None:
        service, team, assignee, category = make_service(), make_team(), make_responder(), make_category()
        incident = make_incident(
            by=make_admin(), services=[service], team=team, assignee=assignee, category=category, priority=Priority.P1
        )
        fields = {
            name: getattr(incident, name) for name in ("title", "description", "category", "severity", "priority")
        }

        fields |= {"services": [service], "team": team, "assignee": assignee}
        same = update(incident, by=None, fields=fields, status=Status.OPEN, note="Nothing new")

        self.assertEqual((same.version, same.event_count), (incident.version, 1))

    def test_it_does_all_or_nothing(self) -> None:
        incident, reporter = make_incident(), make_reporter()

        with self.assertRaises(DomainError):
            update(incident, by=None, fields={"title": "New", "services": [make_service()], "assignee": reporter})
        with self.assertRaises(InvalidTransition):
            update(incident, by=None, fields={"title": "New"}, status=Status.CLOSED)

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual((stored.title, stored.version, stored.event_count), (incident.title, 1, 1))
        self.assertFalse(stored.services.exists())
        self.assertEqual(kinds_of(incident), ["created"])

    def test_it_refuses_a_stale_version(self) -> None:
        incident = make_incident()
        update(incident, by=None, fields={"title": "New"})

        with self.assertRaises(StaleVersion):
            update(incident, by=None, fields={"title": "Newer"}, expected_versions={1})

    def test_it_names_each_service_once(self) -> None:
        incident, service = make_incident(), make_service()

        update(incident, by=None, fields={"services": [service, service]})

        self.assertEqual(folded(incident)["services"], ["payments"])

    def test_it_tells_the_note_somewhere(self) -> None:
        cases = [
            ({"team": make_team()}, None, "team_changed"),
            ({"assignee": make_responder()}, None, "assignee_changed"),
            ({"team": make_team(), "assignee": make_responder()}, None, "team_changed"),
            ({"severity": Severity.HIGH}, None, "comment"),
            ({"team": make_team()}, Status.ACKNOWLEDGED, "acknowledged"),
        ]
        for fields, status, kind in cases:
            with self.subTest(fields=fields):
                incident = make_incident()

                update(incident, by=None, fields=fields, status=status, note="Because.")

                told = incident.events.filter(body="Because.").values_list("kind", flat=True)
                self.assertEqual(list(told), [kind])


class PermissionTests(TestCase):
    def test_it_lets_reporters_edit_the_text_of_their_own_while_it_is_open(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)

        update(incident, by=reporter, fields={"title": "Clearer", "description": "More"})
        for fields in ({"severity": Severity.HIGH}, {"title": "T", "location": "Here"}, {"team": None}):
            with self.subTest(fields=fields), self.assertRaises(PermissionRefused):
                update(incident, by=reporter, fields=fields)
        with self.assertRaises(PermissionRefused):
            update(incident, by=make_reporter(), fields={"title": "Mine now"})
        transition(incident, Status.RESOLVED, by=None)

        with self.assertRaises(PermissionRefused):
            update(incident, by=reporter, fields={"title": "Too late"})
        self.assertEqual(Incident.objects.get(pk=incident.pk).title, "Clearer")

    def test_it_refuses_a_move_by_those_who_may_only_edit(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)

        with self.assertRaises(PermissionRefused):
            update(incident, by=reporter, fields={"title": "T"}, status=Status.RESOLVED)

    def test_it_lets_a_responder_of_another_team_edit_the_text_of_what_they_reported(self) -> None:
        responder = make_responder()
        incident = make_incident(by=responder, team=make_team("Network"))

        update(incident, by=responder, fields={"title": "Clearer"})

        with self.assertRaises(PermissionRefused):
            update(incident, by=responder, fields={"severity": Severity.HIGH})

    def test_it_hands_over_and_has_no_say_any_more(self) -> None:
        member = make_responder()
        incident = make_incident(team=None)
        incident = assign_team(incident, make_team("Network", member), by=make_admin())

        assign_team(incident, make_team("Storage"), by=member, note="Yours, I think")

        event = incident.events.get(body="Yours, I think")
        self.assertEqual([team["name"] for team in event.data["changes"]["team"]], ["Network", "Storage"])
        with self.assertRaises(PermissionRefused):
            assign_team(incident, None, by=member)


class AssigneeTests(TestCase):
    def test_it_takes_active_responders_and_admins_only(self) -> None:
        incident = make_incident()
        for role, is_active, may in (
            (Role.REPORTER, True, False),
            (Role.RESPONDER, False, False),
            (Role.RESPONDER, True, True),
            (Role.ADMIN, True, True),
            (Role.ADMIN, False, False),
        ):
            with self.subTest(role=role, is_active=is_active):
                person = make_responder(is_active=is_active)
                person.role = role
                person.save(update_fields=["role"])

                if may:
                    self.assertEqual(assign_person(incident, person, by=None).assignee, person)
                else:
                    with self.assertRaises(DomainError) as refusal:
                        assign_person(incident, person, by=None)
                    self.assertEqual(refusal.exception.field, "assignee")

    def test_it_takes_the_incident_back_from_a_person(self) -> None:
        incident = assign_person(make_incident(), make_responder(name="Bob"), by=None)

        incident = assign_person(incident, None, by=None)

        self.assertIsNone(incident.assignee)
        changes = incident.events.order_by("-seq")[0].data["changes"]
        self.assertEqual((changes["assignee"][0]["name"], changes["assignee"][1]), ("Bob", None))


class SeverityTests(TestCase):
    def setUp(self) -> None:
        make_policy(severity=Severity.MEDIUM, ack_minutes=60, resolve_minutes=240)
        make_policy(severity=Severity.CRITICAL, ack_minutes=15, resolve_minutes=60)

    def test_it_counts_from_the_opening(self) -> None:
        incident = make_incident(at=MONDAY)

        incident = update(incident, by=None, fields={"severity": Severity.CRITICAL}, at=MONDAY + minutes(10))

        self.assertEqual(incident.ack_due_at, MONDAY + minutes(15))
        self.assertEqual(incident.resolve_due_at, MONDAY + minutes(60))
        self.assertEqual(incident.next_breach_at, MONDAY + minutes(15))
        self.assertEqual(incident.priority, Priority.P1)
        self.assertEqual(kinds_of(incident), ["created", "severity_changed"])

    def test_it_counts_from_the_reopening(self) -> None:
        incident = make_incident(at=MONDAY)
        transition(incident, Status.RESOLVED, by=None, at=MONDAY + minutes(5))
        transition(incident, Status.OPEN, by=None, note="Again", at=MONDAY + minutes(100))

        incident = update(incident, by=None, fields={"severity": Severity.CRITICAL}, at=MONDAY + minutes(101))

        self.assertEqual(incident.ack_due_at, MONDAY + minutes(115))

    def test_it_leaves_past_holds_out(self) -> None:
        incident = make_incident(at=MONDAY)
        for status, minute in (("acknowledged", 1), ("on_hold", 10), ("in_progress", 40)):
            transition(incident, status, by=None, note="because", at=MONDAY + minutes(minute))

        incident = update(incident, by=None, fields={"severity": Severity.CRITICAL}, at=MONDAY + minutes(50))

        self.assertEqual(incident.resolve_due_at, MONDAY + minutes(90))

    def test_it_keeps_a_priority_that_somebody_gave(self) -> None:
        given_before = make_incident(by=make_admin(), priority=Priority.P3)
        given_as_it_was = update(make_incident(), by=None, fields={"priority": Priority.P3})
        followed_again = update(given_before, by=None, fields={"priority": None})

        self.assertTrue(Incident.objects.get(pk=given_as_it_was.pk).is_priority_given)
        self.assertFalse(Incident.objects.get(pk=followed_again.pk).is_priority_given)
        for incident, priority in ((given_as_it_was, Priority.P3), (followed_again, Priority.P1)):
            with self.subTest(priority=priority):
                incident = update(incident, by=None, fields={"severity": Severity.CRITICAL})
                self.assertEqual(incident.priority, priority)

    def test_it_tells_a_priority_given_together_with_the_severity_once(self) -> None:
        incident = make_incident()

        incident = update(incident, by=None, fields={"severity": Severity.CRITICAL, "priority": Priority.P2})

        self.assertEqual(kinds_of(incident), ["created", "severity_changed", "priority_changed"])
        self.assertEqual(incident.priority, Priority.P2)
        severity_changed = incident.events.get(kind=EventKind.SEVERITY_CHANGED)
        self.assertNotIn("priority", severity_changed.data["changes"])

    def test_it_marks_what_a_stricter_target_makes_late(self) -> None:
        incident = make_incident(at=MONDAY)
        transition(incident, Status.ACKNOWLEDGED, by=None, at=MONDAY + minutes(20))

        incident = update(incident, by=None, fields={"severity": Severity.CRITICAL}, at=MONDAY + minutes(90))

        self.assertTrue(incident.ack_breached and incident.resolve_breached)
        self.assertIsNone(incident.next_breach_at)

    def test_it_forgives_what_a_milder_target_makes_timely(self) -> None:
        incident = make_incident(at=MONDAY, severity=Severity.CRITICAL)
        incident = transition(incident, Status.ACKNOWLEDGED, by=None, at=MONDAY + minutes(20))
        self.assertTrue(incident.ack_breached)

        incident = update(incident, by=None, fields={"severity": Severity.MEDIUM}, at=MONDAY + minutes(90))

        self.assertFalse(incident.ack_breached)
        self.assertEqual(incident.next_breach_at, MONDAY + minutes(240))

    def test_it_judges_the_acknowledgement_since_the_reopening(self) -> None:
        incident = make_incident(at=MONDAY)
        for status, minute in (("resolved", 5), ("open", 100), ("acknowledged", 120)):
            transition(incident, status, by=None, note="Again", at=MONDAY + minutes(minute))

        incident = update(incident, by=None, fields={"severity": Severity.CRITICAL}, at=MONDAY + minutes(125))

        self.assertTrue(incident.ack_breached)
        self.assertFalse(incident.resolve_breached)

    def test_it_judges_a_paused_clock_by_when_it_was_paused(self) -> None:
        incident = make_incident(at=MONDAY)
        for status, minute in (("acknowledged", 1), ("on_hold", 30)):
            transition(incident, status, by=None, note="Parts", at=MONDAY + minutes(minute))

        incident = update(incident, by=None, fields={"severity": Severity.CRITICAL}, at=MONDAY + minutes(500))

        self.assertFalse(incident.resolve_breached)
        self.assertIsNone(incident.next_breach_at)

    def test_it_leaves_the_clocks_of_what_is_resolved_alone(self) -> None:
        incident = transition(make_incident(at=MONDAY), Status.RESOLVED, by=None, at=MONDAY + minutes(90))

        changed = update(incident, by=None, fields={"severity": Severity.CRITICAL})

        self.assertEqual(changed.severity, Severity.CRITICAL)
        self.assertEqual((changed.resolve_due_at, changed.resolve_breached), (incident.resolve_due_at, False))


class CategoryTests(TestCase):
    def test_it_takes_the_policy_of_the_category(self) -> None:
        category = make_category()
        make_policy(severity=Severity.MEDIUM, ack_minutes=60, resolve_minutes=240)
        make_policy(severity=Severity.MEDIUM, category=category, name="Network", ack_minutes=5, resolve_minutes=10)
        incident = make_incident(at=MONDAY)

        incident = update(incident, by=None, fields={"category": category}, at=MONDAY + minutes(1))

        self.assertEqual(incident.ack_due_at, MONDAY + minutes(5))
        self.assertEqual(kinds_of(incident), ["created", "field_changed", "field_changed"])
        self.assertEqual(folded(incident)["category"], "network")

    def test_it_takes_the_policys_calendar_even_where_due_times_stay(self) -> None:
        category = make_category()
        make_policy(severity=Severity.MEDIUM, ack_minutes=60, resolve_minutes=240)
        make_policy(
            severity=Severity.MEDIUM,
            category=category,
            name="Network",
            ack_minutes=60,
            resolve_minutes=240,
            is_round_the_clock=False,
        )
        incident = make_incident(at=MONDAY)

        update(incident, by=None, fields={"category": category}, at=MONDAY)

        self.assertEqual(Incident.objects.get(pk=incident.pk).sla["policy"], "Network")

    def test_it_prefers_no_policy_of_another_category(self) -> None:
        make_policy(severity=Severity.MEDIUM, ack_minutes=60, resolve_minutes=240)
        make_policy(severity=Severity.MEDIUM, category=make_category(), name="Network", ack_minutes=5)

        incident = report(by=None, title="Down", category=make_category("storage"), at=MONDAY)

        self.assertEqual(incident.ack_due_at, MONDAY + minutes(60))


class RevertTests(TestCase):
    def test_it_sets_fields_and_status_back_as_one_change(self) -> None:
        incident, by = make_incident(), make_responder()
        update(incident, by=by, fields={"severity": Severity.HIGH}, status=Status.IN_PROGRESS)
        resolved = transition(incident, Status.RESOLVED, by=by)

        changed = revert(
            incident.pk,
            by=by,
            fields={"severity": Severity.MEDIUM},
            statuses=[Status.OPEN, Status.IN_PROGRESS],
            note="Undone.",
            expected_versions=[resolved.version],
        )

        self.assertEqual((changed.status, changed.severity), (Status.IN_PROGRESS, Severity.MEDIUM))
        self.assertEqual(changed.version, resolved.version + 1)
        self.assertEqual([event.body for event in changed.events.order_by("-seq")[:2]], ["", "Undone."])

    def test_it_refuses_what_update_refuses(self) -> None:
        incident, by = make_incident(by=make_admin(), team=make_team()), make_responder()

        with self.assertRaises(PermissionRefused):
            revert(incident.pk, by=by, fields={"severity": Severity.LOW})
        with self.assertRaises(StaleVersion):
            revert(incident.pk, by=make_admin(), fields={}, expected_versions=[99])
        with self.assertRaises(InvalidTransition):
            revert(incident.pk, by=make_admin(), fields={}, statuses=[Status.CLOSED])
