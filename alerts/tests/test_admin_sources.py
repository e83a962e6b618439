import datetime as dt
from http import HTTPStatus

import time_machine
from auditlog.models import LogEntry
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert, Heartbeat
from alerts.tests.back_office import BackOfficeCase
from alerts.tests.factories import fire, make_key, make_source
from core.severity import Severity
from intake.models import IntakeEvent, Source
from intake.services import new_keys
from intake.services.sources import source_of
from intake.vocabulary import LOGS, IntakeState
from users.tests.factories import make_admin


class SourceCase(BackOfficeCase):
    def setUp(self) -> None:
        self.sign_in(self.admin)

    def form(self, **changes: object) -> dict[str, object]:
        return {
            "name": "Prometheus",
            "kind": "alertmanager",
            "team": self.team.pk,
            "is_enabled": "on",
            "default_severity": Severity.HIGH,
            "severity_map": "sev0 = Critical",
            "group_by": "cluster, alertname",
            "reopen_minutes": 60,
            "auto_resolve": "on",
            "heartbeat_minutes": "",
            "expire_minutes": "",
            "rate_limit": 600,
            "templates": "",
            "signing_secret": "",
            **changes,
        }


class FormTests(SourceCase):
    @override_settings(PUBLIC_URL="https://incidents.example.org/")
    def test_it_shows_the_key_of_a_new_source(self) -> None:
        answer = self.client.post(reverse("admin:intake_source_add"), self.form(), follow=True)

        source = Source.objects.get(name="Prometheus")
        key = answer.context["key"]
        self.assertEqual((source.group_by, source.severity_map), (["cluster", "alertname"], {"sev0": "critical"}))
        self.assertEqual(source_of(key), source)
        self.assertContains(answer, f"url: https://incidents.example.org/intake/{key}/")
        self.assertIn("no-store", answer["Cache-Control"])
        self.assertNotContains(self.client.get(self.page(source)), key)
        self.assertContains(self.client.get(self.page(source)), f"{key[:4]}…")

    def test_it_says_what_is_wrong(self) -> None:
        make_source(name="Taken")
        cases = {
            "severity_map": {"severity_map": "sev0 = awful"},
            "group_by": {"group_by": '"'},
            "templates": {"templates": "title = {{ a }}"},
            "name": {"name": "TAKEN"},
        }

        for field, changes in cases.items():
            with self.subTest(field):
                answer = self.client.post(reverse("admin:intake_source_add"), self.form(**changes))

                self.assertIn(field, answer.context["adminform"].form.errors)

    def test_it_takes_templates_for_a_generic_source(self) -> None:
        self.client.post(
            reverse("admin:intake_source_add"), self.form(kind="generic", templates="title = {{ check.name }}")
        )

        self.assertEqual(Source.objects.get(name="Prometheus").templates, {"title": "{{ check.name }}"})

    def test_it_never_shows_the_signing_secret_and_keeps_it(self) -> None:
        source = make_source(name="GitHub", kind="github", signing_secret="hush-hush")

        shown = self.client.get(self.page(source))
        self.client.post(self.page(source), self.form(name="GitHub", kind="github"))
        source.refresh_from_db()
        kept = source.signing_secret
        self.client.post(self.page(source), self.form(name="GitHub", kind="github", remove_secret="on"))
        source.refresh_from_db()

        self.assertNotContains(shown, "hush-hush")
        self.assertEqual((kept, source.signing_secret), ("hush-hush", ""))


class ButtonTests(SourceCase):
    def test_it_gives_a_second_key_and_no_third(self) -> None:
        source = make_source()
        make_key(source)

        answer = self.client.post(self.page(source, "key"), follow=True)
        refused = self.client.post(self.page(source, "key"))

        self.assertEqual(source_of(answer.context["key"]), source)
        self.assertIn("2 keys already", self.messages(refused))
        self.assertEqual(source.keys.count(), 2)

    @override_settings(PUBLIC_URL="https://alerts.example.net")
    def test_it_shows_a_key_until_it_was_copied(self) -> None:
        source = make_source(kind="alertmanager")
        shown = self.client.post(self.page(source, "key"), follow=True)
        key, url = shown.context["key"], self.page(source, "new_key")

        again = self.client.get(url)
        self.client.post(url)
        afterwards = self.client.get(url)

        self.assertContains(again, key)
        self.assertContains(again, 'data-copy="new-key"')
        self.assertContains(again, f"url: https://alerts.example.net/intake/{key}/", count=2)  # the guide says it, too
        self.assertRedirects(afterwards, self.page(source))
        self.assertEqual(source_of(key), source)

    def test_it_shows_a_key_for_a_quarter_of_an_hour_to_who_made_it(self) -> None:
        source = make_source()
        key = self.client.post(self.page(source, "key"), follow=True).context["key"]
        url = self.page(source, "new_key")
        other = Client()
        other.force_login(make_admin())

        with time_machine.travel(timezone.now() + dt.timedelta(seconds=new_keys.VISIBLE_SECONDS + 2)):
            later = self.client.get(url)

        self.assertEqual(later.status_code, HTTPStatus.FOUND)
        self.assertEqual(other.get(url).status_code, HTTPStatus.FOUND)
        self.assertNotIn(key, str(dict(self.client.session)))

    def test_it_revokes_a_key_after_asking(self) -> None:
        source = make_source()
        make_key(source)
        url = self.page(source, "revoke", source.keys.get().pk)

        asked = self.client.get(url)
        self.client.post(url)

        self.assertContains(asked, "will be rejected")
        self.assertFalse(source.keys.exists())
        self.assertEqual(self.client.get(url).status_code, 404)
        self.assertEqual(LogEntry.objects.get_for_object(source).order_by("-id")[0].actor, self.admin)

    def test_it_sends_a_sample_and_shows_what_came_of_it(self) -> None:
        source = make_source(kind="alertmanager")

        asked = self.client.get(self.page(source, "sample"))
        answer = self.client.post(self.page(source, "sample"), follow=True)

        event = IntakeEvent.objects.get()
        self.assertContains(asked, "may open an incident")
        self.assertRedirects(answer, self.page(event))
        self.assertEqual(event.state, IntakeState.DONE)
        self.assertContains(answer, Alert.objects.exclude(incident=None).get().incident.reference)

    def test_it_says_why_there_is_no_sample(self) -> None:
        for source in (make_source(kind=LOGS), make_source(is_enabled=False)):
            answer = self.client.post(self.page(source, "sample"))

            self.assertRedirects(answer, self.page(source), fetch_redirect_response=False)
            self.assertTrue(self.messages(answer))
            self.assertFalse(IntakeEvent.objects.exists())

    def test_it_switches_off_and_on(self) -> None:
        source = make_source()
        key = make_key(source)
        known = source_of(key)

        off = self.client.post(self.page(source, "switch"))
        while_off = source_of(key)
        self.client.post(self.page(source, "switch"))

        self.assertIn("is disabled", self.messages(off))
        self.assertEqual((known, while_off, source_of(key)), (source, None, source))

    def test_it_does_nothing_by_a_link(self) -> None:
        source = make_source()

        answers = [self.client.get(self.page(source, name)).status_code for name in ("key", "switch")]

        self.assertEqual(answers, [405, 405])
        self.assertFalse(source.keys.exists())

    def test_it_shows_the_guide_of_a_kind(self) -> None:
        shown = self.client.get(reverse("admin:intake_source_guide", args=["grafana"]))
        absent = [
            self.client.get(reverse("admin:intake_source_guide", args=[kind])).status_code
            for kind in ("nonsense", "README")
        ]

        self.assertContains(shown, "Contact points")
        self.assertEqual(absent, [404, 404])


class ListTests(SourceCase):
    def test_it_tells_what_fires_and_who_was_limited(self) -> None:
        noisy, calm = make_source(name="A"), make_source(name="B", is_enabled=False)
        fire(noisy)
        now = timezone.now()
        for source, at in ((noisy, now), (calm, now - dt.timedelta(days=2))):
            IntakeEvent.objects.create(
                source=source, format="x", state=IntakeState.LIMITED, body=b"", received_at=at, processed_at=at
            )

        rows = {row.name: (row.fires, row.was_limited) for row in self.listed("source", "?kind__exact=generic")}

        self.assertEqual(rows, {"A": (True, True), "B": (False, False)})
        self.assertEqual([row.name for row in self.listed("source", "?enabled=no")], ["B"])

    def test_it_costs_the_same_at_any_number(self) -> None:
        self._grow(10)
        few = [len(self.queries(self.list_of(name))) for name in ("source", "heartbeat")]
        self._grow(190)

        many = [self.queries(self.list_of(name)) for name in ("source", "heartbeat")]

        self.assertEqual([len(queries) for queries in many], few)
        self.assertFalse([sql for queries in many for sql in queries if "OFFSET" in sql])

    def _grow(self, number: int) -> None:
        for _ in range(number):
            source = make_source(team=self.team)
            Heartbeat.objects.create(source=source, name="nightly")


class PanelTests(SourceCase):
    def test_it_tells_times_to_the_second_with_their_zone(self) -> None:
        at = dt.datetime(2026, 7, 2, 9, 30, 5, tzinfo=dt.UTC)
        source = make_source()
        Source.objects.filter(pk=source.pk).update(last_received_at=at)
        source.keys.create(digest="0" * 64, prefix="abcd", created_at=at)

        answer = self.client.get(self.page(source))

        self.assertContains(answer, "Last received 2 Jul 2026, 09:30:05 UTC")
        self.assertContains(answer, "created 2 Jul 2026, 09:30:05 UTC")


class HeartbeatTests(SourceCase):
    def test_it_names_its_fields_as_elsewhere(self) -> None:
        answer = self.client.get(reverse("admin:alerts_heartbeat_add"))

        self.assertContains(answer, "Interval (minutes)")
        self.assertContains(answer, "Enabled")

    def test_it_tells_what_was_missed(self) -> None:
        source, now = make_source(), timezone.now()
        for name, minutes, is_enabled in (("late", 20, True), ("alive", 5, True), ("off", 20, False)):
            Heartbeat.objects.create(
                source=source, name=name, last_ping_at=now - dt.timedelta(minutes=minutes), is_enabled=is_enabled
            )

        text = self.client.get(self.list_of("heartbeat")).content.decode()

        self.assertEqual([text.count(word) for word in ("missed", ">alive<", ">off<")].count(0), 0)
