"""docs/alerts.md: routes, silences, heartbeats."""

import datetime as dt

from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext

from alerts.jobs import process_intake
from alerts.models import Alert, Heartbeat
from alerts.services.heartbeats import ping, watch
from alerts.services.maintenance import expire, release_silenced
from alerts.tests.documented import after, documented, incident_of, make_update, statuses
from alerts.tests.factories import fire, make_route, make_silence, make_source, matchers_of, receive, resolve
from core.severity import Severity
from incidents.models import Incident
from incidents.tests.factories import kinds_of, make_team
from intake.models import Source


class RouteTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source(group_by=["service"])

    @documented(36)
    def test_it_takes_the_first_route_that_matches(self) -> None:
        for name, value in (("exact", "db"), ("pattern", "d."), ("rest", ".*")):
            make_route(name=name, matchers=matchers_of(("service", "=~", value)), team=make_team(name))

        teams = {}
        for service in ("db", "dc", "DB", "xdb", "dbx", ""):
            incident = incident_of(fire(self.source, service, labels={"service": service}))
            teams[service] = incident and incident.team and incident.team.name

        self.assertEqual(teams, {"db": "exact", "dc": "pattern", **dict.fromkeys(("DB", "xdb", "dbx", ""), "rest")})

    @documented(37)
    def test_it_lends_what_a_route_sets_to_the_next(self) -> None:
        make_route(go_on=True, team=make_team("First"))
        make_route(matchers=matchers_of(("service", "=", "other")), severity=Severity.LOW)
        make_route(team=make_team("Second"), severity=Severity.HIGH, group_by=["zone"])

        for name in "ab":
            fire(self.source, name, labels={"service": name, "zone": "1"}, severity="low")

        incident = Incident.objects.get()
        self.assertEqual((incident.team and incident.team.name, incident.severity), ("First", Severity.HIGH))

    @documented(38)
    def test_it_drops_and_counts(self) -> None:
        route = make_route(is_drop=True, matchers=matchers_of(("service", "=", "test")))

        for _ in range(2):
            with self.assertRaises(Alert.DoesNotExist):
                fire(self.source, labels={"service": "test"})
        fire(self.source, labels={"service": "db"})

        route.refresh_from_db()
        self.assertEqual((route.dropped_count, route.matched_count, Alert.objects.count()), (2, 2, 1))

    @documented(39)
    def test_it_takes_the_end_of_what_fires_all_the_same(self) -> None:
        fire(self.source)
        route = make_route(is_drop=True)

        resolve(self.source)
        alert = fire(self.source)

        route.refresh_from_db()
        self.assertEqual((alert.status, statuses(), route.dropped_count), ("resolved", ["resolved"], 1))

    @documented(40)
    def test_it_waits_for_as_many_as_the_route_asks_for(self) -> None:
        make_route(open_after_count=3, open_after_minutes=5)
        fire(self.source, "a", severity="high", at=after(0))
        fire(self.source, "b", at=after(4))
        fire(self.source, "c", at=after(5.1))
        too_slow = statuses()

        fire(self.source, "b", at=after(6))

        self.assertEqual((too_slow, statuses()), ([], ["open"]))
        self.assertEqual({alert.fingerprint for alert in Incident.objects.get().alerts.all()}, {"b", "c"})
        self.assertEqual(kinds_of(Incident.objects.get()), ["created", "alert_added"])

    def test_it_gives_all_of_a_batch_the_incident_that_they_waited_for(self) -> None:
        make_route(open_after_count=3)
        fire(self.source, "early", severity="high", at=after(0))

        receive(self.source, make_update("a"), make_update("b"), make_update("c"), at=after(1))
        joined = Incident.objects.get().alerts.count()
        for name in ("a", "b", "c"):
            resolve(self.source, name, at=after(2))

        self.assertEqual((joined, statuses()), (4, ["open"]))
        self.assertEqual(Incident.objects.get().severity, Severity.HIGH)
        self.assertEqual(kinds_of(Incident.objects.get()).count("alert_added"), 3)

    def test_it_leaves_out_what_is_silenced_by_then_until_the_silence_ends(self) -> None:
        make_route(open_after_count=3)
        fire(self.source, "a", labels={"host": "db-3"}, at=after(0))
        make_silence(("host", "=", "db-3"), starts_at=after(0.5), ends_at=after(10))

        quiet = receive(
            self.source, make_update("a", labels={"host": "db-3"}), make_update("b"), make_update("c"), at=after(1)
        )
        meanwhile = incident_of(quiet), kinds_of(Incident.objects.get())
        release_silenced(after(11))

        self.assertEqual(meanwhile, (None, ["created", "alert_added"]))
        self.assertEqual(incident_of(quiet), Incident.objects.get())
        self.assertEqual(kinds_of(Incident.objects.get()), ["created", "alert_added", "alert_added"])

    @documented(41)
    @override_settings(STORM_INCIDENTS_PER_MINUTE=3)
    def test_it_opens_no_more_than_so_many_a_minute(self) -> None:
        make_route(name="Disks", matchers=matchers_of(("kind", "=", "disk")))
        for number in range(6):
            fire(self.source, f"disk {number}", labels={"kind": "disk", "service": f"{number}"}, at=after(number / 60))
        for number in range(5):
            fire(make_source(), f"{number}", at=after(0.2))

        titles = list(Incident.objects.order_by("pk").values_list("title", flat=True))
        storms = list(Incident.objects.filter(title__startswith="Alert storm").order_by("pk"))

        self.assertEqual((len(titles), [storm.alerts.count() for storm in storms]), (8, [3, 2]))
        self.assertIn("Disks", storms[0].description)

    def test_it_counts_what_all_routes_opened_in_one_query(self) -> None:
        names = ("disk", "network", "power")
        for name in names:
            make_route(name=name, matchers=matchers_of(("kind", "=", name)))
        updates = [make_update(name, labels={"kind": name}) for name in (*names, "other")]

        with CaptureQueriesContext(connection) as queries:
            receive(self.source, *updates)

        counts = [one["sql"] for one in queries if "COUNT(" in one["sql"] and "opened_at" in one["sql"]]
        self.assertEqual((len(counts), Incident.objects.count()), (1, 4))

    @documented(42)
    @override_settings(STORM_INCIDENTS_PER_MINUTE=2)
    def test_it_goes_back_to_groups_after_the_storm(self) -> None:
        for number in range(4):
            fire(self.source, f"{number}", labels={"service": f"{number}"}, at=after(0))
        storm = Incident.objects.get(title__startswith="Alert storm")

        later = fire(self.source, "later", labels={"service": "later"}, at=after(2))
        again = fire(self.source, "3", labels={"service": "3"}, starts_at=after(2), at=after(2))

        self.assertEqual((storm.alerts.count(), incident_of(again)), (2, storm))
        self.assertNotEqual(incident_of(later), storm)

    @override_settings(STORM_INCIDENTS_PER_MINUTE=0)
    def test_it_knows_no_storms_where_there_is_no_limit(self) -> None:
        receive(self.source, *(make_update(f"{number}", labels={"service": f"{number}"}) for number in range(100)))

        self.assertEqual(Incident.objects.count(), 100)


class SilenceTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source()

    def silence(self, until: float = 60, **fields: object) -> None:
        times = {"starts_at": after(-60), "ends_at": after(until)}
        self.made = make_silence(("service", "=", "db"), **{**times, **fields})

    @documented(43)
    def test_it_records_what_a_silence_keeps_quiet(self) -> None:
        self.silence()

        for minute in range(3):
            alert = fire(self.source, labels={"service": "db"}, at=after(minute))
        fire(self.source, "other", labels={"service": "web"}, at=after(1))

        self.assertEqual((alert.occurrences, alert.silenced_by, alert.incident), (3, self.made, None))
        self.assertEqual(Incident.objects.count(), 1)

    @documented(44)
    def test_it_opens_what_fires_still_when_the_silence_ends(self) -> None:
        self.silence()
        for name in "ab":
            fire(self.source, name, labels={"service": "db"}, starts_at=after(0), at=after(0))
        resolve(self.source, "b", labels={"service": "db"}, at=after(1))

        found = []
        for minute in (59, 60, 61):
            release_silenced(after(minute))
            found.append(statuses())

        alert = Alert.objects.get(fingerprint="a")
        self.assertEqual(found, [[], ["open"], ["open"]])
        self.assertEqual((alert.silenced_by, incident_of(alert)), (None, Incident.objects.get()))

    def test_it_opens_what_repeats_before_anybody_lifted_the_silence(self) -> None:
        source = make_source(group_by=["service"])
        fire(source, "first", labels={"service": "db"}, at=after(0))
        resolve(source, "first", labels={"service": "db"}, at=after(1))
        self.silence()
        fire(source, "quiet", labels={"service": "db"}, at=after(2))

        quiet = fire(source, "quiet", labels={"service": "db"}, at=after(60))

        self.assertEqual((quiet.silenced_by, quiet.incident, statuses()), (None, Incident.objects.get(), ["open"]))

    def test_it_opens_what_a_person_no_longer_silences(self) -> None:
        self.silence()
        fire(self.source, labels={"service": "db"}, at=after(0))
        self.made.ends_at = after(5)
        self.made.save()

        release_silenced(after(5))

        self.assertEqual(statuses(), ["open"])

    def test_it_opens_what_an_edited_silence_no_longer_means(self) -> None:
        self.silence()
        fire(self.source, labels={"service": "db"}, at=after(0))
        self.made.matchers = matchers_of(("service", "=", "web"))
        self.made.save()

        release_silenced(after(5))

        self.assertEqual(statuses(), ["open"])

    def test_it_keeps_quiet_what_another_silence_means_too(self) -> None:
        self.silence()
        make_silence(("service", "=~", ".*"), starts_at=after(-60), ends_at=after(90))
        fire(self.source, labels={"service": "db"}, at=after(0))

        found = [(release_silenced(after(minute)), *statuses()) for minute in (60, 90)]

        self.assertEqual(found, [(0,), (1, "open")])

    def test_it_finds_those_behind_a_thousand_that_stay_quiet(self) -> None:
        self.silence()
        fire(self.source, labels={"service": "db"}, at=after(0))
        Alert.objects.bulk_create(
            Alert(
                source=self.source, key=f"{number:05}", fingerprint=f"{number}", severity=2, labels={"service": "web"},
                starts_at=after(0), first_seen_at=after(0), last_seen_at=after(0), silenced_by=self.made,
            )
            for number in range(1200)
        )  # fmt: skip
        make_silence(("service", "=", "web"), starts_at=after(-60), ends_at=after(900))

        self.assertEqual((release_silenced(after(60)), statuses()), (1, ["open"]))

    def test_it_drops_what_a_route_drops_when_the_silence_ends(self) -> None:
        self.silence()
        fire(self.source, labels={"service": "db"}, at=after(0))
        make_route(is_drop=True)

        release_silenced(after(60))

        self.assertEqual((statuses(), Alert.objects.get().silenced_by), ([], None))

    @documented(45)
    def test_it_leaves_alone_what_has_an_incident(self) -> None:
        fire(self.source, labels={"service": "db"}, severity="low", at=after(0))
        self.silence()

        alert = fire(self.source, labels={"service": "db"}, severity="high", at=after(1))
        raised = Incident.objects.get().severity
        resolve(self.source, labels={"service": "db"}, at=after(2))
        again = fire(self.source, labels={"service": "db"}, at=after(3))
        quiet = statuses()
        release_silenced(after(60))

        self.assertEqual((alert.silenced_by, raised, again.silenced_by), (None, Severity.HIGH, self.made))
        self.assertEqual((quiet, statuses()), (["resolved"], ["open"]))

    @documented(46)
    def test_it_keeps_quiet_weekly_by_the_clock_on_the_wall(self) -> None:
        weekly = {
            "weekdays": [5],
            "starts_time": dt.time(22),
            "ends_time": dt.time(2, 30),
            "time_zone": "Europe/Zurich",
        }
        self.silence(until=60 * 24 * 60, **weekly)
        # Summer time begins in the night to Sunday 29 March 2026: two o'clock is three.
        moments = {
            "2026-03-28T20:59": False,
            "2026-03-28T21:01": True,
            "2026-03-29T00:59": True,
            "2026-03-29T01:01": False,
        }

        found = {}
        for moment in moments:
            at = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
            found[moment] = fire(self.source, moment, labels={"service": "db"}, at=at).silenced_by is not None

        self.assertEqual(found, moments)

    @documented(47)
    def test_it_silences_nothing_without_matchers(self) -> None:
        make_silence(starts_at=after(-60), ends_at=after(60))

        alert = fire(self.source, at=after(0))

        self.assertEqual((alert.silenced_by, statuses()), (None, ["open"]))


class HeartbeatTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source(
            heartbeat_minutes=10, last_received_at=after(0), created_at=after(-60), expire_minutes=5
        )

    def watched(self, minute: float) -> list[str]:
        """What the alerts are once the jobs have run then."""
        watch(after(minute))
        process_intake(after(minute))
        expire(after(minute))
        process_intake(after(minute))
        return list(Alert.objects.order_by("pk").values_list("status", flat=True))

    @documented(48)
    def test_it_raises_an_alert_for_silence(self) -> None:
        Heartbeat.objects.create(source=self.source, name="backup", interval_minutes=30, last_ping_at=after(0))
        make_route(matchers=matchers_of(("heartbeat", "=", "backup")), team=make_team("Backup"))

        found = [self.watched(minute) for minute in (10, 10.1, 30, 30.1, 31)]

        self.assertEqual(found, [[], ["firing"], ["firing"], ["firing", "firing"], ["firing", "firing"]])
        self.assertEqual({alert.severity for alert in Alert.objects.all()}, {Severity.HIGH})
        self.assertEqual(
            [incident.team and incident.team.name for incident in Incident.objects.order_by("pk")], [None, "Backup"]
        )
        self.assertEqual(Alert.objects.earliest("pk").starts_at, after(0))

    @documented(49)
    def test_it_ends_with_the_next_sign_of_life_or_nobody_waiting(self) -> None:
        Heartbeat.objects.create(source=self.source, name="backup", interval_minutes=30, last_ping_at=after(0))
        self.watched(40)
        found = [statuses()]

        ping(self.source, after(41))
        found.append((self.watched(41), statuses())[1])
        Heartbeat.objects.update(is_enabled=False)
        found.append((self.watched(42), statuses())[1])

        self.assertEqual(found, [["open", "open"], ["resolved", "open"], ["resolved", "resolved"]])

    def test_it_ends_the_alert_of_a_source_that_is_switched_off_or_asks_for_no_heartbeat(self) -> None:
        for fields in ({"is_enabled": False}, {"heartbeat_minutes": None}):
            with self.subTest(fields=fields):
                Source.objects.filter(pk=self.source.pk).update(is_enabled=True, heartbeat_minutes=10)
                fired = self.watched(40)
                Source.objects.filter(pk=self.source.pk).update(**fields)

                self.assertEqual((fired, self.watched(41)), (["firing"], ["resolved"]))
                Alert.objects.all().delete()

    @documented(50)
    def test_it_does_not_let_silence_expire(self) -> None:
        found = {tuple(self.watched(minute)) for minute in (11, 16, 17, 100, 3 * 24 * 60)}

        self.assertEqual((found, statuses(), Incident.objects.get().reopen_count), ({("firing",)}, ["open"], 0))
