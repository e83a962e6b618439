"""Alerts moved, split off and merged by people."""

import datetime as dt

from django.test import TestCase
from django.utils import timezone

from alerts.models import Alert, AlertGroup
from alerts.services import merge, move, split
from alerts.tests.factories import fire, make_route, make_silence, make_source, resolve
from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from core.severity import Severity
from incidents.models import Incident, IncidentLink
from incidents.services import acknowledge, delete, link, subscribe, transition, verify
from incidents.services import resolve as resolve_incident
from incidents.services.editing import assign_team
from incidents.tests.factories import kinds_of, make_category, make_incident, make_service, make_team
from users.tests.factories import make_admin, make_reporter, make_responder

HOUR = dt.timedelta(hours=1)


def labelled(service: str) -> dict[str, str]:
    return {"service": service}


def incident_of(alert: Alert) -> Incident:
    return Incident.objects.get(alerts=alert)


class MoveTests(TestCase):
    def setUp(self) -> None:
        self.by = make_responder()
        self.source = make_source(group_by=["service"])
        self.disk = fire(self.source, "disk", labels=labelled("db"), severity="low")
        self.load = fire(self.source, "load", labels=labelled("db"), severity="high")
        self.web = fire(self.source, "web", labels=labelled("web"), severity="low")
        self.db, self.other = incident_of(self.disk), incident_of(self.web)

    def test_it_moves_alerts_and_tells_both_timelines(self) -> None:
        move([self.load], self.other, by=self.by)

        self.assertEqual(set(self.other.alerts.all()), {self.load, self.web})
        left, arrived = self.db.events.last(), self.other.events.get(kind="alert_added")
        self.assertEqual((left.kind, left.data["to"], left.actor), ("alert_removed", self.other.reference, self.by))
        self.assertEqual((arrived.data["from"], arrived.data["alert"]["fingerprint"]), (self.db.reference, "load"))
        self.assertEqual([verify(self.db), verify(self.other)], [None, None])

    def test_it_raises_the_severity_of_the_target_and_lowers_none(self) -> None:
        move([self.load], self.other, by=self.by)

        self.db.refresh_from_db()
        self.other.refresh_from_db()
        self.assertEqual((self.other.severity, self.db.severity), (Severity.HIGH, Severity.HIGH))

    def test_it_lets_an_alert_that_is_over_raise_nothing(self) -> None:
        resolve(self.source, "load", labels=labelled("db"))

        move([self.load], self.other, by=self.by)

        self.other.refresh_from_db()
        self.assertEqual(self.other.severity, Severity.LOW)

    def test_it_resolves_what_is_left_with_resolved_alerts_alone(self) -> None:
        resolve(self.source, "disk", labels=labelled("db"))

        move([self.load], self.other, by=self.by)

        self.db.refresh_from_db()
        self.assertEqual(self.db.status, "resolved")

    def test_it_leaves_open_what_its_source_does_not_resolve_or_holds_no_alert_or_still_fires(self) -> None:
        emptied = make_incident()
        move([self.web], emptied, by=self.by)
        move([self.load], emptied, by=self.by)
        type(self.source).objects.update(auto_resolve=False)
        resolve(self.source, "disk", labels=labelled("db"))

        move([self.disk], self.other, by=self.by)

        self.assertEqual(set(Incident.objects.values_list("status", flat=True)), {"open"})

    def test_it_does_nothing_for_alerts_that_are_there(self) -> None:
        before = kinds_of(self.db)

        move([self.disk, self.load], self.db, by=self.by)

        self.assertEqual(kinds_of(self.db), before)

    def test_it_refuses_who_may_not_work_on_both(self) -> None:
        assign_team(self.other, make_team("Web"), by=None)
        for person in (self.by, make_reporter()):
            with self.subTest(person=person), self.assertRaises(PermissionRefused):
                move([self.load], self.other, by=person)

        with self.assertRaises(PermissionRefused):
            move([self.web], self.db, by=self.by)
        move([self.web], self.db, by=make_admin())
        self.assertEqual(incident_of(self.web), self.db)

    def test_it_refuses_a_deleted_target_and_an_ended_one_for_what_fires(self) -> None:
        resolve_incident(self.other, by=None)
        with self.assertRaises(Conflict):
            move([self.load], self.other, by=self.by)

        delete(self.other, by=None)
        with self.assertRaises(NotFound):
            move([self.load], self.other, by=self.by)
        self.assertEqual(incident_of(self.load), self.db)

    def test_it_takes_an_alert_that_a_silence_kept_quiet(self) -> None:
        make_silence(("service", "=", "mail"))
        quiet = fire(self.source, "mail", labels=labelled("mail"))

        move([quiet], self.db, by=self.by)

        quiet.refresh_from_db()
        self.assertEqual((quiet.incident, quiet.silenced_by), (self.db, None))

    def test_it_keeps_a_moved_alert_where_it_was_put(self) -> None:
        move([self.load], self.other, by=self.by)
        resolve(self.source, "load", labels=labelled("db"))

        fire(self.source, "load", labels=labelled("db"))

        self.assertEqual(incident_of(self.load), self.other)


class SplitTests(TestCase):
    def setUp(self) -> None:
        self.team = make_team("Database")
        self.by = make_responder()
        self.team.memberships.create(user=self.by)
        self.service = make_service("db")
        self.source = make_source(group_by=["service"])
        make_route(team=self.team, service=self.service, category=make_category("disk"))
        self.now = timezone.now() - HOUR
        self.disk = fire(self.source, "disk", labels=labelled("db"), severity="high", at=self.now)
        self.load = fire(self.source, "load", labels=labelled("db"), severity="low", at=self.now)
        self.db = incident_of(self.disk)

    def test_it_opens_an_incident_like_the_one_left(self) -> None:
        Incident.objects.update(is_restricted=True)

        new = split([self.load], by=self.by, title="Only load", origin="console")

        self.assertEqual((new.title, new.severity, new.team, new.reporter), ("Only load", 1, self.team, self.by))
        self.assertEqual((new.category, list(new.services.all())), (self.db.category, [self.service]))
        self.assertEqual((new.is_restricted, new.occurred_at), (True, self.load.starts_at))
        self.assertEqual(kinds_of(new), ["created", "alert_added"])
        self.assertEqual(kinds_of(self.db)[-1], "alert_removed")
        self.assertEqual([verify(new), verify(self.db)], [None, None])

    def test_it_is_called_as_the_worst_alert_and_as_bad(self) -> None:
        new = split([self.load, self.disk], by=self.by)

        self.assertEqual((new.title, new.severity, new.alerts.count()), ("disk is broken", Severity.HIGH, 2))

    def test_it_keeps_a_split_alert_with_its_new_incident(self) -> None:
        new = split([self.load], by=self.by)
        resolve(self.source, "load", labels=labelled("db"), at=self.now + HOUR)
        new.refresh_from_db()
        was = new.status

        fire(self.source, "load", labels=labelled("db"), at=self.now + HOUR)

        new.refresh_from_db()
        self.assertEqual((was, new.status, incident_of(self.load)), ("resolved", "open", new))

    def test_it_lets_later_alerts_of_the_group_go_where_the_others_are(self) -> None:
        split([self.load], by=self.by)

        later = fire(self.source, "swap", labels=labelled("db"))

        self.assertEqual(incident_of(later), self.db)

    def test_it_refuses_no_alert_at_all_and_who_may_not_work_there(self) -> None:
        with self.assertRaises(DomainError):
            split([], by=self.by)
        for person in (make_responder(), make_reporter()):
            with self.subTest(person=person), self.assertRaises(PermissionRefused):
                split([self.load], by=person)

        self.assertEqual(Incident.objects.count(), 1)

    def test_it_splits_off_an_alert_without_incident_for_its_sources_team(self) -> None:
        source = make_source(team=self.team)
        make_silence(("source", "=", source.name))
        quiet = fire(source)

        with self.assertRaises(PermissionRefused):
            split([quiet], by=make_responder())
        new = split([quiet], by=self.by)

        self.assertEqual((new.team, incident_of(quiet)), (self.team, new))


class MergeTests(TestCase):
    def setUp(self) -> None:
        self.by = make_responder()
        self.source = make_source(group_by=["service"])
        self.disk = fire(self.source, "disk", labels=labelled("db"), severity="high")
        self.web = fire(self.source, "web", labels=labelled("web"), severity="low")
        self.db, self.other = incident_of(self.disk), incident_of(self.web)

    def test_it_takes_everything_over_and_links_the_duplicate(self) -> None:
        into = merge(self.db, self.other, by=self.by)

        self.db.refresh_from_db()
        self.assertEqual(set(into.alerts.all()), {self.disk, self.web})
        self.assertEqual((self.db.status, into.status, into.severity), ("resolved", "open", Severity.HIGH))
        self.assertTrue(IncidentLink.objects.filter(incident=self.db, target=into, kind="duplicate_of").exists())
        self.assertEqual(kinds_of(self.db)[-3:], ["alert_removed", "linked", "resolved"])
        self.assertEqual(kinds_of(into)[1:], ["alert_added", "severity_changed", "linked"])
        self.assertEqual([verify(self.db), verify(into)], [None, None])

    def test_it_lets_later_alerts_of_both_groups_join(self) -> None:
        merge(self.db, self.other, by=self.by)

        swap = fire(self.source, "swap", labels=labelled("db"))
        page = fire(self.source, "page", labels=labelled("web"))

        self.assertEqual({incident_of(swap), incident_of(page)}, {self.other})
        self.assertEqual(Incident.objects.count(), 2)

    def test_it_resolves_and_reopens_the_one_that_is_left(self) -> None:
        merge(self.db, self.other, by=self.by)

        for fingerprint, service in (("disk", "db"), ("web", "web")):
            resolve(self.source, fingerprint, labels=labelled(service))
        self.other.refresh_from_db()
        was = self.other.status
        fire(self.source, "disk", labels=labelled("db"))

        self.other.refresh_from_db()
        self.assertEqual(
            (was, self.other.status, Incident.objects.filter(status="open").count()), ("resolved", "open", 1)
        )

    def test_it_merges_what_was_linked_before_and_reopened(self) -> None:
        link(self.db, self.other, "duplicate_of", by=None)
        transition(self.db, "open", by=None, note="Not so.")

        merge(self.db, self.other, by=self.by)

        self.db.refresh_from_db()
        self.assertEqual((self.db.status, AlertGroup.objects.filter(incident=self.other).count()), ("resolved", 2))

    def test_it_refuses_itself_an_ended_target_a_circle_and_strangers(self) -> None:
        with self.assertRaises(DomainError):
            merge(self.db, self.db, by=self.by)
        with self.assertRaises(PermissionRefused):
            merge(self.db, self.other, by=make_reporter())
        resolve_incident(self.other, by=None)
        with self.assertRaises(Conflict):
            merge(self.db, self.other, by=self.by)

        transition(self.other, "open", by=None, note="Again.")
        merge(self.other, self.db, by=self.by)
        transition(self.other, "open", by=None, note="Again.")
        with self.assertRaises(Conflict):
            merge(self.db, self.other, by=self.by)
        self.assertEqual(set(self.db.alerts.all()), {self.disk, self.web})

    def test_it_merges_nothing_that_is_a_duplicate_already(self) -> None:
        third = make_incident()
        merge(self.db, self.other, by=self.by)

        with self.assertRaisesMessage(Conflict, f"is a duplicate of {self.other.reference} already"):
            merge(self.db, third, by=self.by)
        merge(self.db, self.other, by=self.by)
        delete(self.other, by=None)
        merge(self.db, third, by=self.by)

        self.assertEqual(set(self.other.alerts.all()), {self.disk, self.web})
        self.assertEqual([verify(self.db), verify(third)], [None, None])

    def test_it_leaves_the_work_on_the_target_alone(self) -> None:
        acknowledge(self.other, by=self.by)

        merge(self.db, self.other, by=self.by)

        self.other.refresh_from_db()
        self.assertEqual(self.other.status, "acknowledged")


class RestrictedTests(TestCase):
    """What a restricted incident holds is shown to nobody else by moving it."""

    def setUp(self) -> None:
        self.member, self.admin = make_responder(), make_admin()
        self.team = make_team("Security", self.member)
        self.source = make_source(group_by=["service"])
        self.alert = fire(self.source, "theft", labels=labelled("db"))
        self.secret = incident_of(self.alert)
        Incident.objects.filter(pk=self.secret.pk).update(is_restricted=True, team=self.team)
        self.secret.refresh_from_db()
        self.plain = make_incident(by=self.admin)

    def acts(self, **how):
        return {
            "move": lambda: move([self.alert], self.plain, by=self.member, **how),
            "merge": lambda: merge(self.secret, self.plain, by=self.member, **how),
        }

    def test_it_is_refused_unless_it_is_said(self) -> None:
        for name, act in self.acts().items():
            with self.subTest(name), self.assertRaises(Conflict) as caught:
                act()
            self.assertEqual(caught.exception.code, "access_not_granted")
        self.assertEqual(incident_of(self.alert), self.secret)

    def test_it_is_refused_to_who_may_not_grant(self) -> None:
        Incident.objects.filter(pk=self.secret.pk).update(team=None, assignee=self.member)
        for name, act in self.acts(grants_access=True).items():
            with self.subTest(name), self.assertRaises(PermissionRefused):
                act()

    def test_it_is_told_on_both_timelines(self) -> None:
        move([self.alert], self.plain, by=self.member, grants_access=True)

        arrived, left = (one.events.get(kind="access_granted") for one in (self.plain, self.secret))
        self.assertEqual((arrived.data, left.data), ({"of": self.secret.reference}, {"to": self.plain.reference}))
        self.assertEqual({arrived.visibility, left.visibility}, {"internal"})
        self.assertNotIn("from", self.plain.events.get(kind="alert_added").data)
        self.assertEqual([verify(self.plain), verify(self.secret)], [None, None])

    def test_it_splits_for_those_who_saw_it(self) -> None:
        self.assertTrue(split([self.alert], by=self.member).is_restricted)

    def test_it_shows_one_team_nothing_of_another(self) -> None:
        elsewhere = make_incident(by=self.admin, is_restricted=True, team=make_team("Network", make_responder()))
        with self.assertRaises(Conflict):
            move([self.alert], elsewhere, by=self.admin)

    def test_it_names_no_restricted_target(self) -> None:
        other = incident_of(fire(self.source, "web", labels=labelled("web")))
        reporter = make_reporter()
        subscribe(other, reporter, by=self.admin)

        merge(other, self.secret, by=self.admin)

        public = other.events.filter(visibility="public")
        self.assertNotIn(self.secret.reference, " ".join(f"{event.body} {event.data}" for event in public))
        self.assertNotIn(self.secret, Incident.objects.visible_to(reporter))
