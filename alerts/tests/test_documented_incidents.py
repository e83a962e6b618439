"""docs/alerts.md: which incident an alert joins, how incidents end and return, severity, people."""

from django.test import TestCase

from alerts.models import Alert, AlertGroup
from alerts.services import merge, move, split
from alerts.tests.documented import after, documented, incident_of, make_update, statuses
from alerts.tests.factories import fire, make_route, make_source, receive, resolve, said
from alerts.updates import Action
from core.severity import Severity
from incidents.models import Incident
from incidents.services import acknowledge, delete, transition, update, verify
from incidents.services import resolve as resolve_incident
from incidents.tests.factories import kinds_of, make_service, make_team
from intake.models import Source
from intake.services.queue import insert_events
from users.tests.factories import make_admin, make_responder

DAY = 24 * 60


def groups_of(alerts: dict[str, Alert]) -> list[set[str]]:
    """The names of the alerts that share an incident, smallest first."""
    together: dict[int, set[str]] = {}
    for name, alert in alerts.items():
        incident = incident_of(alert)
        together.setdefault(incident.pk if incident else 0, set()).add(name)
    return sorted(together.values(), key=sorted)


class GroupTests(TestCase):
    @documented(13)
    def test_it_groups_by_labels_of_the_source(self) -> None:
        source = make_source(group_by=["service", "zone"])
        labels = {
            "a": {"service": "db", "zone": "1"},
            "b": {"zone": "1", "service": "db", "host": "x"},
            "c": {"service": "db"},
            "d": {"service": "db", "zone": ""},
            "e": {},
            "f": {"host": "y"},
        }

        alerts = {name: fire(source, name, labels=some) for name, some in labels.items()}

        self.assertEqual(groups_of(alerts), [{"a", "b"}, {"c", "d"}, {"e", "f"}])

    @documented(14)
    def test_it_gives_each_alert_its_own_incident_otherwise(self) -> None:
        source = make_source()

        alerts = {name: fire(source, name, labels={"service": "db"}) for name in "abc"}

        self.assertEqual(groups_of(alerts), [{"a"}, {"b"}, {"c"}])

    @documented(15)
    def test_it_compares_values_letter_for_letter(self) -> None:
        source = make_source(group_by=["service"])
        values = [
            "DB-Disk",
            "db-disk",
            "Zürich",
            "Zurich",
            "Zu\u0308rich",
            "a",
            "a ",
            '"a"',
            "ß",
            "ss",
            "1",
            "01",
            "",
            "\0",
        ]

        for number, value in enumerate(values):
            fire(source, f"{number}", labels={"service": value})

        self.assertEqual(Incident.objects.count(), len(values))

    @documented(16)
    def test_it_keeps_sources_and_routes_apart_but_where_a_route_groups(self) -> None:
        one, other = make_source(group_by=["service"]), make_source(group_by=["service"])
        make_route(matchers=[{"name": "routed", "op": "=", "value": "yes"}])
        make_route(matchers=[{"name": "routed", "op": "=", "value": "together"}], group_by=["service"])
        labels = {"service": "db"}

        alerts = {
            f"{routed} {number}": fire(source, f"{routed} {number}", labels={**labels, "routed": routed})
            for routed in ("no", "yes", "together")
            for number, source in enumerate((one, other))
        }

        self.assertEqual(groups_of(alerts), [{"no 0"}, {"no 1"}, {"together 0", "together 1"}, {"yes 0"}, {"yes 1"}])

    @documented(17)
    def test_it_has_one_open_incident_for_a_group(self) -> None:
        make_route(group_by=["service"])
        long, short = make_source(reopen_minutes=DAY), make_source(reopen_minutes=1)
        labels = {"service": "db"}
        fire(long, labels=labels, at=after(0))
        resolve(long, labels=labels, at=after(1))
        fire(short, labels=labels, at=after(60))

        alert = fire(long, labels=labels, at=after(61))

        self.assertEqual((statuses(), incident_of(alert)), (["resolved", "open"], Incident.objects.latest("pk")))
        self.assertEqual(AlertGroup.objects.filter(open_key__isnull=False).count(), 1)

    @documented(18)
    def test_it_tells_the_timeline_who_joins(self) -> None:
        source = make_source(group_by=["service"])
        for name in "ab":
            fire(source, name, labels={"service": "db"}, severity="high")

        incident = Incident.objects.get()
        first, joined = incident.events.order_by("seq")

        self.assertEqual((first.kind, joined.kind, verify(incident)), ("created", "alert_added", None))
        self.assertEqual(first.data["alert"]["fingerprint"], "a")
        told = {"title": "b is broken", "severity": "high", "source": source.name, "fingerprint": "b"}
        self.assertEqual(joined.data["alert"], told)

    @documented(19)
    def test_it_takes_words_from_the_alert_and_the_team_from_the_nearest(self) -> None:
        mine, theirs, routed = (make_team(name) for name in ("Source", "Service", "Route"))
        service = make_service("db", team=theirs)
        source = make_source(team=mine, kind="zabbix")
        make_route(matchers=[{"name": "to", "op": "=", "value": "service"}], service=service)
        make_route(matchers=[{"name": "to", "op": "=", "value": "team"}], service=service, team=routed)

        found = {
            to: incident_of(fire(source, to, labels={"to": to}, description="Why")) for to in ("", "service", "team")
        }

        teams = {to: incident.team for to, incident in found.items() if incident}
        self.assertEqual(teams, {"": mine, "service": theirs, "team": routed})
        one = Incident.objects.get(team=theirs)
        self.assertEqual((one.title, one.description, one.origin_system), ("service is broken", "Why", "zabbix"))
        self.assertEqual((list(one.services.all()), one.reporter), ([service], None))


class EndTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source(group_by=["service"], reopen_minutes=60)
        self.by = make_responder()

    @documented(20)
    def test_it_resolves_with_the_last_alert(self) -> None:
        for status, auto, expected in (
            ("open", True, "resolved"),
            ("on_hold", True, "resolved"),
            ("open", False, "open"),
        ):
            with self.subTest(status=status, auto=auto):
                Source.objects.update(auto_resolve=auto)
                labels = {"service": f"{status} {auto}"}
                fire(self.source, f"a {status} {auto}", labels=labels)
                incident = incident_of(fire(self.source, f"b {status} {auto}", labels=labels))
                assert incident is not None
                if status != "open":
                    acknowledge(incident, by=self.by)
                    transition(incident, status, by=self.by, note="Parts")

                resolve(self.source, f"b {status} {auto}", labels=labels)
                between = Incident.objects.get(pk=incident.pk).status
                resolve(self.source, f"a {status} {auto}", labels=labels)

                incident.refresh_from_db()
                self.assertEqual((between, incident.status), (status, expected))
                self.assertEqual(kinds_of(incident).count("alert_resolved"), 2)
                self.assertIsNone(verify(incident))

    @documented(21)
    def test_it_reopens_in_time_and_opens_another_later(self) -> None:
        labels = {"service": "db"}
        fire(self.source, "a", labels=labels, at=after(0))
        resolve(self.source, "a", labels=labels, at=after(0))

        fire(self.source, "b", labels=labels, at=after(60))
        reopened = statuses()
        resolve(self.source, "b", labels=labels, at=after(61))
        transition(Incident.objects.get(), "closed", by=None, at=after(62))
        fire(self.source, "a", labels=labels, at=after(122))
        closed_and_reopened = statuses()
        resolve(self.source, "a", labels=labels, at=after(122))
        fire(self.source, "b", labels=labels, at=after(182.1))

        self.assertEqual((reopened, closed_and_reopened, statuses()), (["open"], ["open"], ["resolved", "open"]))
        self.assertEqual(Incident.objects.earliest("pk").reopen_count, 2)
        self.assertEqual([verify(incident) for incident in Incident.objects.all()], [None, None])

    @documented(22)
    def test_it_lets_a_persons_resolve_hold_while_the_firing_repeats(self) -> None:
        source = make_source()
        for number, starts_at in enumerate((None, after(0))):
            with self.subTest(starts_at=starts_at):
                incident = incident_of(fire(source, f"{number}", starts_at=starts_at, at=after(0)))
                assert incident is not None
                before = resolve_incident(incident, by=self.by).event_count

                for minute in range(1, 5):
                    alert = fire(source, f"{number}", starts_at=starts_at, severity="critical", at=after(minute))

                incident.refresh_from_db()
                self.assertEqual((alert.status, alert.occurrences, incident.status), ("firing", 5, "resolved"))
                self.assertEqual((incident.event_count, Incident.objects.count()), (before, number + 1))

    @documented(23)
    def test_it_reopens_what_a_person_resolved_with_a_new_firing(self) -> None:
        for verb, starts_at in (("start", after(5)), ("end", None)):
            with self.subTest(verb=verb):
                labels = {"service": verb}
                incident = incident_of(
                    fire(self.source, verb, labels=labels, starts_at=starts_at and after(0), at=after(0))
                )
                assert incident is not None
                transition(incident, "resolved", by=self.by, at=after(1))
                if verb == "end":
                    resolve(self.source, verb, labels=labels, at=after(2))

                fire(self.source, verb, labels=labels, starts_at=starts_at, at=after(6))

                incident.refresh_from_db()
                self.assertEqual((incident.status, incident.reopen_count), ("open", 1))

    @documented(24)
    def test_it_leaves_a_deleted_incident_deleted(self) -> None:
        incident = incident_of(fire(self.source, at=after(0)))
        assert incident is not None
        delete(incident, by=make_admin())

        fire(self.source, severity="critical", at=after(1))
        repeated = Incident.objects.count()
        resolve(self.source, at=after(2))
        fire(self.source, at=after(3))

        incident.refresh_from_db()
        self.assertEqual((repeated, Incident.objects.count()), (1, 2))
        self.assertIsNotNone(incident.deleted_at)

    @documented(25)
    def test_it_does_here_what_was_done_there(self) -> None:
        fire(self.source)

        receive(self.source, make_update(action=Action.NOTE, note="On it", user="ann"))
        receive(self.source, make_update(action=Action.ACKNOWLEDGE, user="ann"))
        receive(self.source, make_update(action=Action.ACKNOWLEDGE, user="bob"))

        incident = Incident.objects.get()
        self.assertEqual(kinds_of(incident), ["created", "comment", "acknowledged"])
        self.assertEqual((incident.status, said(incident.events.get(kind="comment"))), ("acknowledged", "ann: On it"))

    @documented(25)
    def test_it_tells_what_was_said_before_an_end_before_it(self) -> None:
        fire(self.source)

        receive(
            self.source,
            make_update(action=Action.ACKNOWLEDGE, user="ann"),
            make_update(action=Action.NOTE, note="Found it", user="ann"),
            make_update(action=Action.RESOLVE, note="Mended", user="ann"),
            make_update(action=Action.NOTE, note="Late", user="bob"),
        )

        incident = Incident.objects.get()
        before, after_end = ["created", "acknowledged", "comment"], ["comment", "comment"]
        self.assertEqual(kinds_of(incident), [*before, "alert_resolved", "resolved", *after_end])
        self.assertEqual(
            [said(event) for event in incident.events.filter(kind="comment").order_by("seq")],
            ["ann: Found it", "ann: Mended", "bob: Late"],
        )

    def test_it_ignores_what_was_said_of_an_unknown_alert(self) -> None:
        with self.assertRaises(Alert.DoesNotExist):
            receive(self.source, make_update(action=Action.ACKNOWLEDGE))

        self.assertEqual(statuses(), [])

    def test_it_ends_at_once_what_began_and_ended_in_one_batch(self) -> None:
        receive(self.source, make_update(), make_update(action=Action.RESOLVE), at=after(0))

        self.assertEqual((statuses(), Alert.objects.get().status), (["resolved"], "resolved"))
        self.assertEqual(kinds_of(Incident.objects.get()), ["created", "alert_resolved", "resolved"])
        self.assertEqual(insert_events([]), None)


class SeverityTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source(group_by=["service"])

    def severity(self) -> str:
        """Of the only incident."""
        return Severity(Incident.objects.get().severity).word

    @documented(26)
    def test_it_rises_with_alerts_that_join_or_get_worse(self) -> None:
        found = []
        for name, severity in (("a", "low"), ("b", "medium"), ("a", "high"), ("b", "critical")):
            fire(self.source, name, severity=severity)
            found.append(self.severity())

        self.assertEqual(found, ["low", "medium", "high", "critical"])

    @documented(27)
    def test_it_does_not_fall_by_itself_nor_rise_against_a_person(self) -> None:
        fire(self.source, "a", severity="critical")
        fire(self.source, "a", severity="low")
        fire(self.source, "b", severity="medium")
        still = self.severity()
        fire(self.source, "a", severity="critical")
        update(Incident.objects.get(), by=None, fields={"severity": Severity.LOW})

        for name, severity in (("a", "critical"), ("b", "medium")):
            fire(self.source, name, severity=severity)

        self.assertEqual((still, self.severity()), ("critical", "low"))

    @documented(28)
    def test_it_takes_the_routes_severity_for_the_alerts(self) -> None:
        make_route(severity=Severity.LOW)
        fire(self.source, "a", severity="critical")
        fire(self.source, "b", severity="critical")
        fire(self.source, "a", severity="high")
        receive(self.source, make_update("c", severity="critical"), make_update("d", severity="critical"))
        resolve(self.source, "a")
        fire(self.source, "a", severity="critical")

        self.assertEqual(self.severity(), "low")
        self.assertEqual(set(Alert.objects.values_list("severity", flat=True)), {Severity.CRITICAL})


class PeopleTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source(group_by=["service"])
        self.by = make_responder()
        self.a, self.b = (fire(self.source, name, labels={"service": "db"}) for name in "ab")
        self.web = fire(self.source, "web", labels={"service": "web"})
        self.db, self.other = incident_of(self.a), incident_of(self.web)
        assert self.db is not None
        assert self.other is not None

    @documented(51)
    def test_it_leaves_alerts_where_people_put_them(self) -> None:
        assert self.other is not None
        move([self.a], self.other, by=self.by)
        new = split([self.b], by=self.by)
        for name in ("a", "b", "web"):
            resolve(self.source, name, labels={"service": "db"})
        ended = statuses()

        for name in ("a", "b"):
            fire(self.source, name, labels={"service": "db"})

        self.assertEqual((incident_of(self.a), incident_of(self.b)), (self.other, new))
        self.assertEqual((ended, statuses()), (["open", "resolved", "resolved"], ["open", "open", "open"]))

    @documented(52)
    def test_it_sends_what_comes_later_after_what_was_merged(self) -> None:
        assert self.db is not None
        assert self.other is not None
        merge(self.db, self.other, by=self.by)

        later = [fire(self.source, f"late {service}", labels={"service": service}) for service in ("db", "web")]

        self.assertEqual({incident_of(alert) for alert in [self.a, self.b, self.web, *later]}, {self.other})
        self.assertEqual(statuses(), ["resolved", "open"])
