import datetime as dt

import time_machine
from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import Heartbeat
from alerts.services import process_waiting
from alerts.tests.factories import fire, make_key, make_source, post_json
from incidents.tests.factories import make_team
from intake.models import IntakeEvent, Source
from intake.readers import kinds
from intake.services import new_keys
from intake.services.sources import source_of
from intake.vocabulary import LOGS, IntakeState
from logs.lines import Line
from logs.services.rules import log_source
from logs.tests.factories import make_lines
from users.models import Role
from users.tests.factories import make_admin, make_user

HOSTILE = "<script>alert(1)</script>\"'>"


class SourceCase(TestCase):
    def setUp(self):
        self.client.force_login(make_admin())

    def url(self, name, *args):
        return reverse(f"console:{name}", args=args)


@override_settings(PUBLIC_URL="https://alerts.example.net")
class SetupTests(SourceCase):
    def make(self, kind="alertmanager", **fields):
        data = {"name": "Prometheus", "team": "", **fields}
        return self.client.post(f"{self.url('source-new')}?kind={kind}", data, follow=True)

    def test_it_finds_the_tool(self):
        response = self.client.get(self.url("source-new") + "?q=prometheus")

        self.assertIn("prometheus", dict(response.context["kinds"]))
        self.assertNotIn("zabbix", dict(response.context["kinds"]))

    def test_it_shows_key_snippet_and_trial_of_this_server_once(self):
        team = make_team()

        response = self.make(team=team.pk)

        source = Source.objects.get(name="Prometheus")
        key = response.context["key"]
        self.assertEqual((source.team, source_of(key)), (team, source))
        self.assertContains(response, f"https://alerts.example.net/intake/{key}/")
        self.assertIn(f"curl https://alerts.example.net/intake/{key}/", response.context["trial"])
        self.assertIn("no-store", response["Cache-Control"])
        self.client.post(self.url("source-setup", source.pk))
        self.assertNotContains(self.client.get(self.url("source-setup", source.pk)), key)

    def test_it_forgets_the_key_after_a_while(self):
        key = self.make().context["key"]

        with time_machine.travel(timezone.now() + dt.timedelta(seconds=new_keys.VISIBLE_SECONDS + 2)):
            later = self.client.get(self.url("source-setup", Source.objects.get(name="Prometheus").pk))

        self.assertNotContains(later, key)

    @override_settings(PUBLIC_URL="http://127.0.0.1:8000", ALLOWED_HOSTS=["incidents.lan"])
    def test_it_names_the_address_that_the_browser_uses_when_none_is_configured(self):
        source = make_source(kind="alertmanager")

        response = self.client.get(self.url("source-setup", source.pk), headers={"Host": "incidents.lan"})

        self.assertContains(response, "http://incidents.lan/intake/KEY/")

    def test_it_says_what_is_wrong(self):
        make_source(name="Taken")

        response = self.make(name="TAKEN")

        self.assertEqual(response.status_code, 422)
        self.assertIn("name", response.context["form"].errors)
        self.assertEqual(Source.objects.filter(name__iexact="taken").count(), 1)

    def test_it_shows_every_kind(self):
        for kind, _title in kinds():
            with self.subTest(kind=kind):
                page = self.client.get(f"{self.url('source-new')}?kind={kind}")
                made = self.make(kind=kind, name=f"One {kind}")

                self.assertEqual((page.status_code, made.status_code), (200, 200))
                self.assertTrue(made.context["snippet"])

    def test_its_trial_works(self):
        self.make()
        source = Source.objects.get(name="Prometheus")
        body = {"alerts": [{"status": "firing", "labels": {"alertname": "Disk"}}]}
        waiting = self.client.get(self.url("source-waiting", source.pk))

        post_json(self.client, f"/intake/{make_key(source)}/", body)
        queued = self.client.get(self.url("source-waiting", source.pk))
        process_waiting()
        done = self.client.get(self.url("source-waiting", source.pk))

        self.assertContains(waiting, "Waiting for the first event")
        self.assertContains(queued, "waits for a worker")
        self.assertContains(done, "It arrived and was understood.")
        self.assertContains(done, "/incidents/INC-")
        self.assertNotContains(done, "hx-trigger")

    def test_it_says_why_an_event_failed_and_replays_it(self):
        source = make_source(kind="alertmanager")
        event = IntakeEvent.objects.create(
            source=source,
            format="alertmanager",
            state=IntakeState.FAILED,
            reason=HOSTILE,
            body=b"{}",
            received_at=timezone.now(),
        )

        shown = self.client.get(self.url("source-waiting", source.pk))
        back = self.client.post(
            self.url("intake-event-replay", event.pk), {"next": self.url("source-setup", source.pk)}
        )
        away = self.client.post(self.url("intake-event-replay", event.pk), {"next": "https://evil.example/"})

        event.refresh_from_db()
        self.assertContains(shown, "Process it again")
        self.assertContains(shown, "hx-trigger")
        self.assertNotContains(shown, "<script>")
        self.assertEqual(back["Location"], self.url("source-setup", source.pk))
        self.assertEqual(event.state, IntakeState.WAITING)
        self.assertEqual(away.status_code, 409)

    def test_its_list_waits_for_nothing_from_our_own_rules(self):
        ours, empty = log_source(), make_source()

        response = self.client.get(self.url("sources"))

        self.assertContains(response, ours.name)
        self.assertContains(response, self.url("source-setup", empty.pk))
        self.assertNotContains(response, self.url("source-setup", ours.pk))

    def test_it_sees_log_lines_arrive(self):
        source = make_source(kind=LOGS)
        make_lines(Line("Started"), source=source)

        self.assertContains(self.client.get(self.url("source-waiting", source.pk)), "Log lines arrive.")


class SourceTests(SourceCase):
    def test_it_lists_health(self):
        long_ago = timezone.now() - dt.timedelta(hours=2)
        silent = make_source(name="Silent", heartbeat_minutes=5, last_received_at=long_ago)
        Source.objects.filter(pk=silent.pk).update(awaited_since=long_ago)
        fire(make_source(name="Firing"), "disk")
        IntakeEvent.objects.create(
            source=silent, format="generic", state=IntakeState.FAILED, body=b"", received_at=timezone.now()
        )

        response = self.client.get(self.url("sources"))

        for text in ("Silent for too long", "Events failed", "Alerts fire"):
            self.assertContains(response, text, count=1)

    def test_it_edits(self):
        source = make_source(signing_secret="s3cret", group_by=["a"])
        data = {
            **{"name": "New", "team": "", "default_severity": "low", "group_by": "x, y", "reopen_minutes": "5"},
            **{"expire_minutes": "", "heartbeat_minutes": "10", "rate_limit": "60", "signing_secret": ""},
        }

        response = self.client.post(self.url("source-edit", source.pk), data)

        source.refresh_from_db()
        self.assertEqual(response.status_code, 302)
        self.assertEqual((source.group_by, source.auto_resolve, source.heartbeat_minutes), (["x", "y"], False, 10))
        self.assertEqual(source.signing_secret, "s3cret")
        self.assertNotContains(self.client.get(self.url("source-edit", source.pk)), "s3cret")

    def test_it_rotates_keys(self):
        source = make_source()
        old = make_key(source)

        made = self.client.post(self.url("source-new-key", source.pk), follow=True)
        third = self.client.post(self.url("source-new-key", source.pk))
        self.client.post(self.url("source-revoke-key", source.pk, source.keys.first().pk))

        self.assertEqual(third.status_code, 409)
        self.assertIsNone(source_of(old))
        self.assertEqual(source_of(made.context["key"]), source)

    def test_it_sends_a_test(self):
        source = make_source(kind="alertmanager")

        response = self.client.post(self.url("source-test", source.pk), follow=True)

        self.assertEqual(response.context["event"].state, IntakeState.DONE)

    def test_it_disables_and_deletes(self):
        source, used = make_source(), make_source()
        fire(used, "disk")
        key = make_key(source)

        self.client.post(self.url("source-switch", source.pk), {"is_enabled": "false"})
        refused = self.client.post(self.url("source-delete", used.pk))
        self.client.post(self.url("source-delete", source.pk))

        self.assertIsNone(source_of(key))
        self.assertEqual(refused.status_code, 409)
        self.assertEqual(set(Source.objects.filter(pk__in=[source.pk, used.pk])), {used})

    def test_it_maps_words(self):
        source = make_source()
        fire(source, "disk", severity_word="sev0", labels={"severity": "sev0"})
        word = source.unknown_words.get()

        response = self.client.post(self.url("source-map-word", source.pk), {"word": word.pk, "means": "critical"})
        again = self.client.post(self.url("source-map-word", source.pk), {"word": word.pk, "means": "critical"})

        source.refresh_from_db()
        self.assertEqual((response.status_code, again.status_code), (302, 404))
        self.assertEqual(source.severity_map, {"sev0": "critical"})

    def test_it_lists_events_as_the_api_does_and_replays_them(self):
        source = make_source()
        for state in (IntakeState.FAILED, IntakeState.FAILED, IntakeState.DONE):
            IntakeEvent.objects.create(
                source=source, format="generic", state=state, body=HOSTILE.encode(), received_at=timezone.now()
            )

        failed = self.client.get(self.url("intake-events") + f"?state=failed&source={source.pk}")
        one = self.client.get(self.url("intake-event", IntakeEvent.objects.first().pk))
        unknown = self.client.get(self.url("intake-events") + "?nonsense=1")
        self.client.post(self.url("intake-events-replay"), {"state": "failed", "source": source.pk})

        self.assertEqual(len(failed.context["events"]), 2)
        self.assertNotContains(one, "<script>alert(1)")
        self.assertEqual(unknown.status_code, 400)
        self.assertEqual(IntakeEvent.objects.filter(state=IntakeState.WAITING).count(), 2)

    def test_it_is_for_administrators(self):
        source = make_source()
        pages = ["sources", "source-new", "intake-events", "heartbeats", "heartbeat-new"]
        of_one = ["source", "source-edit", "source-setup", "source-waiting"]
        urls = [self.url(name) for name in pages] + [self.url(name, source.pk) for name in of_one]
        writes = [self.url(name, source.pk) for name in ("source-new-key", "source-test", "source-delete")]
        for role, status in ((Role.REPORTER, 403), (Role.RESPONDER, 403), (Role.ADMIN, 200)):
            self.client.force_login(make_user(role=role))
            for url in urls:
                with self.subTest(role=role, url=url):
                    self.assertEqual(self.client.get(url).status_code, status)
            if status == 403:
                self.assertEqual({self.client.post(url).status_code for url in writes}, {403})
        self.assertTrue(Source.objects.exists())

    def test_it_asks_the_same_number_of_questions_whatever_it_shows(self):
        make_source()
        few = self.asked()
        for number in range(10):
            fire(make_source(team=make_team(f"Team {number}")), "x")

        self.assertEqual(self.asked(), few)
        self.assertLessEqual(few, 10)

    def asked(self):
        with CaptureQueriesContext(connection) as queries:
            self.client.get(self.url("sources"))
        return len(queries)


class HeartbeatTests(SourceCase):
    def test_it_tells_late_from_on_time(self):
        source, now = make_source(), timezone.now()
        for name, minutes, is_enabled in (("backup", 60, True), ("report", 5, True), ("old", 900, False)):
            Heartbeat.objects.create(
                source=source, name=name, last_ping_at=now - dt.timedelta(minutes=minutes), is_enabled=is_enabled
            )

        response = self.client.get(self.url("heartbeats"))

        states = {one["row"].name: one["state"] for one in response.context["heartbeats"]}
        self.assertEqual(states, {"backup": "late", "report": "alive", "old": "off"})
        self.assertContains(response, "Late by 50 min")

    def test_it_stores_edits_and_deletes(self):
        source = make_source()
        data = {"source": source.pk, "name": "backup", "interval_minutes": 30, "is_enabled": "on"}

        self.client.post(self.url("heartbeat-new"), data)
        heartbeat = Heartbeat.objects.get()
        twice = self.client.post(self.url("heartbeat-new"), data)
        self.client.post(self.url("heartbeat", heartbeat.pk), {**data, "interval_minutes": 5, "is_enabled": ""})

        heartbeat.refresh_from_db()
        self.assertEqual(twice.status_code, 422)
        self.assertEqual((heartbeat.interval_minutes, heartbeat.is_enabled), (5, False))
        self.client.post(self.url("heartbeat-delete", heartbeat.pk))
        self.assertFalse(Heartbeat.objects.exists())
