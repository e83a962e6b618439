import datetime as dt
from dataclasses import replace
from unittest import mock

from django.test import TestCase

from core.errors import InvalidTransition, NotFound, PermissionRefused, StaleVersion
from core.severity import Priority, Severity
from incidents.actors import Actor
from incidents.models import EventKind, Incident, Status
from incidents.services import NoteMissing, acknowledge, delete, resolve, transition, verify
from incidents.tests.factories import MONDAY, kinds_of, make_incident, make_policy, make_team, minutes, report
from incidents.vocabulary import MachineKind
from incidents.workflow import action_between, allowed_transitions
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

# The shortest way to each status.
PATHS: dict[str, list[str]] = {
    Status.OPEN: [],
    Status.ACKNOWLEDGED: ["acknowledged"],
    Status.IN_PROGRESS: ["in_progress"],
    Status.ON_HOLD: ["acknowledged", "on_hold"],
    Status.RESOLVED: ["resolved"],
    Status.CLOSED: ["resolved", "closed"],
}


def incident_in(status: str, *, at: dt.datetime = MONDAY) -> Incident:
    """An incident that opened at `at` and was moved to the status, a minute per step."""
    incident = make_incident(at=at, severity=Severity.HIGH)
    for step, target in enumerate(PATHS[status], 1):
        incident = transition(incident, target, by=None, note="because", at=at + minutes(step))
    return incident


class TransitionTests(TestCase):
    def test_it_makes_the_moves_of_the_table_and_refuses_all_others(self) -> None:
        for start in Status:
            for target in Status:
                with self.subTest(start=start, target=target):
                    incident = incident_in(start)
                    action = action_between(start, target)
                    before = incident.event_count

                    if action is None and start != target:
                        with self.assertRaises(InvalidTransition) as refusal:
                            transition(incident, target, by=None, note="because")
                        self.assertEqual(refusal.exception.extra["allowed"], allowed_transitions(start))
                        after = Incident.objects.get(pk=incident.pk)
                    else:
                        after = transition(incident, target, by=None, note="because", at=MONDAY + minutes(9))

                    self.assertEqual(after.status, target if action else start)
                    self.assertEqual(after.event_count, before + (1 if action else 0))
                    if action:
                        self.assertEqual(kinds_of(after)[-1], action.event_kind)

    def test_it_writes_no_event_for_the_present_status(self) -> None:
        incident = incident_in(Status.ACKNOWLEDGED)

        again = transition(incident, Status.ACKNOWLEDGED, by=make_admin(), note="me too")

        self.assertEqual((again.version, again.event_count), (incident.version, incident.event_count))

    def test_it_tells_the_note_with_the_move(self) -> None:
        incident = acknowledge(make_incident(), by=make_admin(name="Alice"), note="On it")

        event = incident.events.get(kind=EventKind.ACKNOWLEDGED)
        self.assertEqual((event.body, event.actor_name, event.origin), ("On it", "Alice", "api"))
        self.assertEqual(event.data["changes"]["status"], ["open", "acknowledged"])

    def test_it_lets_a_named_machine_act_by_itself_and_for_somebody(self) -> None:
        opsgenie = Actor(name="Ada", machine=MachineKind.SOURCE, machine_name="Opsgenie")
        slack = Actor.of(make_responder(name="Bob"))
        slack = replace(slack, machine=MachineKind.CHANNEL, machine_name="Slack")
        incident = acknowledge(make_incident(), by=opsgenie)

        resolve(incident, by=slack)

        acknowledged, resolved = incident.events.order_by("seq")[1:]
        self.assertEqual((acknowledged.actor, acknowledged.actor_label), (None, "Ada in Opsgenie"))
        self.assertEqual((resolved.actor, resolved.actor_label), (slack.user, "Bob in Slack"))
        self.assertIsNone(verify(incident))

    def test_it_asks_for_the_rights_of_whom_a_machine_acts_for(self) -> None:
        stranger = replace(Actor.of(make_reporter()), machine=MachineKind.CHANNEL, machine_name="Slack")

        with self.assertRaises(PermissionRefused):
            acknowledge(make_incident(), by=stranger)

    def test_it_wants_a_note_where_the_table_says_so(self) -> None:
        for start, target in (
            (Status.ACKNOWLEDGED, Status.ON_HOLD),
            (Status.IN_PROGRESS, Status.ON_HOLD),
            (Status.RESOLVED, Status.OPEN),
            (Status.CLOSED, Status.OPEN),
        ):
            for note in ("", " \n\t"):
                with self.subTest(start=start, note=note), self.assertRaises(NoteMissing):
                    transition(incident_in(start), target, by=None, note=note)

    def test_it_refuses_a_stale_version(self) -> None:
        incident = make_incident()
        acknowledge(incident, by=None)

        with self.assertRaises(StaleVersion) as refusal:
            transition(incident, Status.RESOLVED, by=None, expected_versions={incident.version})

        self.assertEqual(refusal.exception.extra, {"version": incident.version + 1})

    def test_it_finds_nothing_where_the_incident_was_deleted(self) -> None:
        incident = make_incident()
        delete(incident, by=None)

        with self.assertRaises(NotFound):
            acknowledge(incident, by=None)


class PermissionTests(TestCase):
    def test_it_asks_who_works_on_the_incident(self) -> None:
        member, other, admin, reporter = make_responder(), make_responder(), make_admin(), make_reporter()
        team = make_team("Network", member)
        cases: list[tuple[User, bool, bool]] = [
            # who, without a team, with their or another's team
            (reporter, False, False),
            (member, True, True),
            (other, True, False),
            (admin, True, True),
        ]
        for by, may_without_team, may_with_team in cases:
            for incident_team, may in ((None, may_without_team), (team, may_with_team)):
                with self.subTest(by=by, team=incident_team):
                    incident = report(by=reporter if by.role == "reporter" else None, title="Down")
                    Incident.objects.filter(pk=incident.pk).update(team=incident_team)

                    if may:
                        self.assertEqual(acknowledge(incident, by=by).status, Status.ACKNOWLEDGED)
                    else:
                        with self.assertRaises(PermissionRefused):
                            acknowledge(incident, by=by)
                        self.assertEqual(kinds_of(incident), ["created"])


class AcknowledgementTests(TestCase):
    def test_it_stamps_the_first_acknowledgement(self) -> None:
        for target in (Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.RESOLVED):
            with self.subTest(target):
                incident = make_incident(at=MONDAY)

                incident = transition(incident, target, by=None, at=MONDAY + minutes(2))

                self.assertEqual((incident.acknowledged_at, incident.ack_seconds), (MONDAY + minutes(2), 120))

    def test_it_keeps_the_first_acknowledgement(self) -> None:
        incident = incident_in(Status.ACKNOWLEDGED)
        first = incident.acknowledged_at

        for step, target in enumerate(["in_progress", "resolved", "open", "acknowledged", "resolved"], 2):
            incident = transition(incident, target, by=None, note="because", at=MONDAY + minutes(step))

            self.assertEqual((incident.acknowledged_at, incident.ack_seconds), (first, 60))

    def test_it_marks_a_late_one_once(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=None)
        incident = make_incident(at=MONDAY, severity=Severity.HIGH)

        incident = transition(incident, Status.ACKNOWLEDGED, by=None, at=MONDAY + minutes(31))
        incident = transition(incident, Status.IN_PROGRESS, by=None, at=MONDAY + minutes(40))

        self.assertTrue(incident.ack_breached)
        self.assertEqual(kinds_of(incident), ["created", "ack_breached", "acknowledged", "started"])

    def test_it_takes_the_due_time_itself_for_in_time(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=30)

        incident = make_incident(at=MONDAY, severity=Severity.HIGH)
        incident = transition(incident, Status.RESOLVED, by=None, at=MONDAY + minutes(30))

        self.assertFalse(incident.ack_breached or incident.resolve_breached)
        self.assertIsNone(incident.next_breach_at)

    def test_it_counts_no_seconds_before_the_opening(self) -> None:
        incident = make_incident(at=MONDAY)

        incident = transition(incident, Status.RESOLVED, by=None, at=MONDAY - minutes(5))

        self.assertEqual((incident.ack_seconds, incident.resolve_seconds), (0, 0))


class HoldTests(TestCase):
    def test_it_adds_the_pause_to_the_due_time(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=120)
        incident = incident_in(Status.ON_HOLD)  # from the second minute on
        self.assertEqual((incident.paused_at, incident.next_breach_at), (MONDAY + minutes(2), None))

        incident = transition(incident, Status.IN_PROGRESS, by=None, at=MONDAY + minutes(62))

        self.assertEqual((incident.paused_at, incident.paused_seconds), (None, 3600))
        self.assertEqual(incident.resolve_due_at, MONDAY + minutes(180))
        self.assertEqual(incident.next_breach_at, MONDAY + minutes(180))

    def test_it_adds_several_pauses(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=120)
        incident = incident_in(Status.ON_HOLD)

        for target, minute in (("in_progress", 12), ("on_hold", 20), ("in_progress", 50)):
            incident = transition(incident, target, by=None, note="because", at=MONDAY + minutes(minute))

        self.assertEqual((incident.paused_seconds, incident.resolve_due_at), (40 * 60, MONDAY + minutes(160)))

    def test_it_adds_only_business_hours(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=120, is_round_the_clock=False)
        half_past_four = MONDAY.replace(hour=16, minute=30)
        incident = make_incident(at=half_past_four, severity=Severity.HIGH)
        self.assertEqual(incident.resolve_due_at, half_past_four.replace(day=3, hour=10))

        for target, at in (
            ("acknowledged", half_past_four),
            ("on_hold", half_past_four.replace(minute=45)),
            ("in_progress", half_past_four.replace(day=3, hour=9, minute=15)),
        ):
            incident = transition(incident, target, by=None, note="because", at=at)

        self.assertEqual(incident.resolve_due_at, half_past_four.replace(day=3, hour=11, minute=0))

    def test_it_ends_when_the_incident_is_resolved(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=120)
        incident = incident_in(Status.ON_HOLD)

        incident = transition(incident, Status.RESOLVED, by=None, at=MONDAY + minutes(182))

        self.assertEqual((incident.paused_at, incident.paused_seconds), (None, 180 * 60))
        self.assertEqual(incident.resolve_due_at, MONDAY + minutes(300))
        self.assertFalse(incident.resolve_breached)

    def test_it_does_not_forgive_what_was_late_before(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=10)
        incident = make_incident(at=MONDAY, severity=Severity.HIGH)

        for target, minute in (("acknowledged", 1), ("on_hold", 15), ("resolved", 60)):
            incident = transition(incident, target, by=None, note="because", at=MONDAY + minutes(minute))

        self.assertEqual(incident.resolve_due_at, MONDAY + minutes(10))
        self.assertTrue(incident.resolve_breached)
        self.assertEqual(kinds_of(incident).count("resolve_breached"), 1)

    def test_it_never_moves_the_due_time_back(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=120)
        incident = incident_in(Status.ON_HOLD)

        incident = transition(incident, Status.IN_PROGRESS, by=None, at=MONDAY - minutes(60))

        self.assertEqual((incident.paused_seconds, incident.resolve_due_at), (0, MONDAY + minutes(120)))


class ResolveTests(TestCase):
    def test_it_stamps_and_measures(self) -> None:
        incident = incident_in(Status.IN_PROGRESS)

        incident = transition(incident, Status.RESOLVED, by=None, at=MONDAY + minutes(10))
        incident = transition(incident, Status.CLOSED, by=None, at=MONDAY + minutes(20))

        self.assertEqual((incident.resolved_at, incident.resolve_seconds), (MONDAY + minutes(10), 600))
        self.assertEqual(incident.closed_at, MONDAY + minutes(20))
        self.assertFalse(Incident.objects.get(pk=incident.pk).is_open)

    def test_it_marks_a_late_one(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=60)
        incident = make_incident(at=MONDAY, severity=Severity.HIGH)

        incident = transition(incident, Status.RESOLVED, by=None, at=MONDAY + minutes(61))

        self.assertEqual(kinds_of(incident), ["created", "ack_breached", "resolve_breached", "resolved"])
        self.assertIsNone(incident.next_breach_at)

    def test_it_has_a_short_name(self) -> None:
        self.assertEqual(resolve(make_incident(), by=make_admin(), note="Works").status, Status.RESOLVED)


class ReopenTests(TestCase):
    def test_it_clears_counts_and_starts_the_clocks_anew(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=60)
        incident = make_incident(at=MONDAY, severity=Severity.HIGH)
        for target, minute in (("resolved", 90), ("closed", 91)):
            incident = transition(incident, target, by=None, at=MONDAY + minutes(minute))

        incident = transition(incident, Status.OPEN, by=None, note="Again", at=MONDAY + minutes(100))

        self.assertEqual((incident.resolved_at, incident.closed_at, incident.resolve_seconds), (None, None, None))
        self.assertEqual((incident.reopen_count, incident.clock_started_at), (1, MONDAY + minutes(100)))
        self.assertEqual(incident.ack_due_at, MONDAY + minutes(130))
        self.assertEqual(incident.resolve_due_at, MONDAY + minutes(160))
        self.assertEqual(incident.next_breach_at, MONDAY + minutes(130))
        self.assertFalse(incident.ack_breached or incident.resolve_breached)
        self.assertEqual(incident.ack_seconds, 90 * 60)

    def test_it_takes_the_policy_of_that_moment(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=60)
        incident = incident_in(Status.RESOLVED)
        make_policy(severity=Severity.HIGH, ack_minutes=5, resolve_minutes=10)

        incident = transition(incident, Status.OPEN, by=None, note="Again", at=MONDAY + minutes(100))

        self.assertEqual(incident.ack_due_at, MONDAY + minutes(105))
        self.assertEqual(incident.sla["resolve_minutes"], 10)

    def test_it_judges_the_new_acknowledgement_too(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=None)
        incident = incident_in(Status.RESOLVED)
        incident = transition(incident, Status.OPEN, by=None, note="Again", at=MONDAY + minutes(100))

        incident = transition(incident, Status.ACKNOWLEDGED, by=None, at=MONDAY + minutes(131))

        self.assertTrue(incident.ack_breached)

    def test_it_leaves_holds_of_the_first_time_out(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=60)
        incident = incident_in(Status.ON_HOLD)
        for target, minute in (("resolved", 50), ("open", 100), ("acknowledged", 101), ("on_hold", 110)):
            incident = transition(incident, target, by=None, note="because", at=MONDAY + minutes(minute))

        incident = transition(incident, Status.IN_PROGRESS, by=None, at=MONDAY + minutes(120))

        self.assertEqual(incident.resolve_due_at, MONDAY + minutes(170))


class CalendarMistakeTests(TestCase):
    def test_it_lets_people_report_and_reopen_under_a_calendar_that_never_opens(self) -> None:
        make_policy(severity=Severity.HIGH, is_round_the_clock=False, weekdays=[])

        with mock.patch("incidents.services.clocks.log") as log:
            incident = incident_in(Status.RESOLVED)
            incident = transition(incident, Status.OPEN, by=None, note="Again")

        self.assertEqual((incident.ack_due_at, incident.resolve_due_at, incident.next_breach_at), (None, None, None))
        self.assertEqual(log.warning.call_args.args, ("sla_calendar_never_opens",))
        self.assertEqual(incident.priority, Priority.P2)
