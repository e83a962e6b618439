"""Words that nobody here understands: shown on their source, and taught."""

import datetime as dt
from typing import Any
from unittest import mock

from auditlog.models import LogEntry
from django.test import Client, TestCase
from django.urls import reverse

from alerts.models import Alert
from alerts.services import process_waiting, words
from alerts.services.maintenance import prune
from alerts.tests.factories import make_key, make_source, post_json
from core.severity import Severity
from incidents.models import Incident
from intake.models import IntakeEvent, Source, UnknownWord
from intake.vocabulary import IntakeState
from users.tests.factories import client_of, make_admin


class WordsCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.source = make_source()
        cls.key = make_key(cls.source)
        cls.admin = make_admin()
        cls.page = f"/api/v1/sources/{cls.source.pk}/"

    def send(self, *bodies: Any) -> None:
        for body in bodies:
            post_json(self.client, f"/intake/{self.key}/", body)
            process_waiting()

    def shown(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client_of(self.admin).get(self.page).json()["unknown_words"]
        return found

    def teach(self, **asked: Any) -> Any:
        return client_of(self.admin).post(f"{self.page}teach/", asked)


class TellingTests(WordsCase):
    def test_it_shows_what_it_does_not_understand_on_source_event_and_alert(self) -> None:
        self.send({"title": "Disk", "key": "d", "status": "Wobbly", "severity": "Purple"})

        event = IntakeEvent.objects.get()
        told = "Not understood: status “Wobbly”, severity “Purple”."
        self.assertEqual((event.state, event.reason), (IntakeState.DONE, told))
        self.assertEqual(Alert.objects.get().annotations["not understood"], told)
        shown = {one["field"]: (one["word"], one["count"], one["sample_event"]) for one in self.shown()}
        self.assertEqual(shown, {"status": ("Wobbly", 1, event.pk), "severity": ("Purple", 1, event.pk)})

    def test_it_counts_a_word_once_however_it_is_written_and_for_each_message(self) -> None:
        self.send([{"title": str(number), "severity": word} for number, word in enumerate(["Foo-1", "foo 1", "FOO_1"])])
        self.send({"title": "4", "severity": "foo1"})

        (row,) = UnknownWord.objects.all()
        self.assertEqual((row.word, row.count, len(row.events)), ("Foo-1", 4, 2))
        self.assertLess(row.first_seen_at, row.last_seen_at)

    def test_it_writes_once_for_many_messages(self) -> None:
        for number in range(20):
            post_json(self.client, f"/intake/{self.key}/", {"title": str(number), "severity": "purple"})
        with mock.patch.object(words.rows, "insert", wraps=words.rows.insert) as inserted:
            process_waiting()

        written = [call for call in inserted.call_args_list if call.args and isinstance(call.args[0], UnknownWord)]
        self.assertEqual((len(written), UnknownWord.objects.get().count), (1, 20))

    def test_it_says_nothing_of_what_is_known_or_not_said(self) -> None:
        self.send(
            {"title": "a", "status": "firing", "severity": "Sev0"}, {"title": "b"}, {"title": "c", "severity": ""}
        )

        self.assertEqual((self.shown(), set(IntakeEvent.objects.values_list("reason", flat=True))), ([], {""}))

    def test_it_tells_of_the_words_of_every_kind_of_source(self) -> None:
        cases: dict[str, Any] = {
            "alertmanager": {"alerts": [{"labels": {"alertname": "A", "severity": "purple"}, "status": "wobbly"}]},
            "grafana": {"alerts": [{"labels": {"alertname": "A", "severity": "purple"}, "status": "wobbly"}]},
            "datadog": {"alert_id": "1", "title": "t", "alert_transition": "wobbly", "alert_priority": "purple"},
            "gcp": {"incident": {"incident_id": "1", "state": "wobbly", "severity": "purple", "summary": "s"}},
            "newrelic": {"id": "1", "title": "t", "state": "wobbly", "priority": "purple"},
            "pingdom": {"check_id": 1, "check_name": "c", "current_state": "wobbly", "importance_level": "purple"},
            "zabbix": {"event_id": "1", "event_name": "n", "event_value": "wobbly", "event_nseverity": "purple"},
            "opsgenie": {"message": "m", "alias": "a", "priority": "purple"},
            "splunk": {"sid": "s", "search_name": "n", "result": {"severity": "purple"}},
            "graylog": {"event": {"message": "m", "priority": "purple"}, "event_definition_id": "d"},
        }
        for kind, body in cases.items():
            with self.subTest(kind=kind):
                source = make_source(kind=kind)
                post_json(self.client, f"/intake/{make_key(source)}/", body)
                process_waiting()

                found = dict(source.unknown_words.values_list("field", "word"))
                self.assertEqual(found["severity"], "purple")
                self.assertEqual(found.get("status", "wobbly"), "wobbly")

    def test_it_keeps_so_many_words_of_a_source_and_the_latest_ones(self) -> None:
        with mock.patch.object(words, "MOST_WORDS", 3):
            self.send(*({"title": "t", "key": "k", "status": f"wobbly {'x' * number}"} for number in range(1, 6)))

        self.assertEqual({len(row.word) for row in UnknownWord.objects.all()}, {10, 11, 12})

    def test_it_takes_a_word_of_any_length_and_script(self) -> None:
        self.send({"title": "t", "key": "a", "severity": "я" * 5000}, {"title": "t", "key": "b", "status": "🔥"})

        self.assertEqual({row.word for row in UnknownWord.objects.all()}, {"я" * 100, "🔥"})

    def test_it_forgets_words_that_were_not_heard_for_long(self) -> None:
        self.send({"title": "t", "severity": "purple"})

        prune(UnknownWord.objects.get().last_seen_at + dt.timedelta(days=10_000))

        self.assertEqual(UnknownWord.objects.count(), 0)


class TeachingTests(WordsCase):
    def test_it_enters_the_word_and_has_it_done_from_now_on(self) -> None:
        body = {"title": "商店", "key": "s"}
        self.send({**body, "status": "不明词"})

        answer = self.teach(field="status", word="不明词", means="resolved")
        self.send({**body, "status": "不明词"})

        self.assertEqual((answer.status_code, answer.json()["unknown_words"]), (200, []), answer.json())
        self.assertEqual(Source.objects.get(pk=self.source.pk).status_map, {"不明词": "resolved"})
        self.assertEqual((Alert.objects.get().status, UnknownWord.objects.count()), ("resolved", 0))
        self.assertEqual(LogEntry.objects.get_for_object(self.source).latest("pk").actor, self.admin)

    def test_it_tells_the_alerts_that_still_fire_what_it_means(self) -> None:
        for number in range(3):
            self.send({"title": "t", "key": f"k{number}", "severity": "Purple"})
        self.send({"title": "t", "key": "k1", "status": "ok"}, {"title": "t", "key": "k2", "severity": "low"})

        answer = self.teach(field="severity", word="PURPLE", means="critical", apply=True)
        process_waiting()

        found = {alert.fingerprint: (alert.severity, alert.occurrences) for alert in Alert.objects.all()}
        self.assertEqual(answer.json()["applied"], 1)
        self.assertEqual(found, {"k0": (Severity.CRITICAL, 1), "k1": (Severity.MEDIUM, 1), "k2": (Severity.LOW, 2)})
        self.assertEqual(Incident.objects.order_by("pk")[0].severity, Severity.CRITICAL)
        self.assertEqual(Alert.objects.get(fingerprint="k0").annotations, {})

    def test_it_ends_what_fired_for_want_of_a_word(self) -> None:
        self.send({"title": "t", "key": "a"}, {"title": "t", "key": "a", "status": "wobbly"})

        answer = self.teach(field="status", word="wobbly", means="resolved", apply=True)
        process_waiting()

        self.assertEqual((answer.json()["applied"], Alert.objects.get().status), (1, "resolved"))
        self.assertEqual(Incident.objects.get().status, "resolved")

    def test_it_does_each_of_the_four_meanings(self) -> None:
        maps = {"one": "firing", "two": "acknowledged", "three": "ignore", "four": "resolved"}
        client_of(self.admin).patch(self.page, {"status_map": maps})
        states = []
        for word in ("three", "one", "two", "three", "four", "three"):
            self.send({"title": "t", "key": "a", "status": word})
            states.append(tuple(Incident.objects.values_list("status", flat=True)))

        expected = [(), ("open",), ("acknowledged",), ("acknowledged",), ("resolved",), ("resolved",)]
        self.assertEqual((states, UnknownWord.objects.count()), (expected, 0))

    def test_it_wins_over_what_is_known(self) -> None:
        client_of(self.admin).patch(self.page, {"status_map": {"OK": "firing"}, "severity_map": {"Sev-0": "low"}})

        self.send({"title": "t", "key": "a", "status": "ok", "severity": "SEV 0"})

        alert = Alert.objects.get()
        self.assertEqual((alert.status, alert.severity), ("firing", Severity.LOW))

    def test_it_wins_over_what_a_vendors_adapter_knows(self) -> None:
        source = make_source(kind="alertmanager", status_map={"suppressed": "firing", "resolved": "ignore"})
        key, states = make_key(source), []

        for word in ("suppressed", "resolved"):
            alert = {"labels": {"alertname": "Disk"}, "fingerprint": "d", "status": word}
            post_json(self.client, f"/intake/{key}/", {"alerts": [alert]})
            process_waiting()
            states.append(Alert.objects.get().status)

        self.assertEqual(states, ["firing", "firing"])

    def test_it_needs_no_title_for_what_a_taught_word_ends(self) -> None:
        client_of(self.admin).patch(self.page, {"status_map": {"Fertig": "resolved", "1": "acknowledged"}})

        self.send({"title": "t", "key": "a"}, {"key": "a", "status": "1"})
        acknowledged = Incident.objects.get().status
        self.send({"key": "a", "status": "fertig"})

        self.assertEqual((acknowledged, Alert.objects.get().status), ("acknowledged", "resolved"))

    def test_it_forgets_words_that_a_change_of_the_maps_teaches(self) -> None:
        self.send({"title": "t", "severity": "purple"}, {"title": "t", "severity": "mauve"})

        client_of(self.admin).patch(self.page, {"severity_map": {"Purple": "high"}})

        self.assertEqual([one["word"] for one in self.shown()], ["mauve"])
        self.assertEqual(UnknownWord.objects.count(), 1)

    def test_it_refuses_what_is_no_meaning(self) -> None:
        for asked in (
            {"field": "status", "word": "x", "means": "critical"},
            {"field": "severity", "word": "x", "means": "resolved"},
            {"field": "colour", "word": "x", "means": "low"},
            {"field": "status", "word": "", "means": "resolved"},
        ):
            with self.subTest(asked=asked):
                self.assertEqual(self.teach(**asked).status_code, 400)
        answer = client_of(self.admin).patch(self.page, {"status_map": {"x": "over"}})
        self.assertIn("firing, resolved, acknowledged, ignore", str(answer.json()))


class BackOfficeTests(WordsCase):
    def test_it_teaches_by_one_click(self) -> None:
        self.send({"title": "t", "key": "a", "severity": "<Purple>"})
        client = Client()
        client.force_login(self.admin)
        page = reverse("admin:intake_source_change", args=[self.source.pk])
        row = UnknownWord.objects.get()

        before = client.get(page)
        home = client.get(reverse("admin:index"))
        answer = client.post(
            reverse("admin:intake_source_teach", args=[self.source.pk]),
            {"word": row.pk, "means": "critical", "apply": "on"},
            follow=True,
        )
        process_waiting()

        self.assertContains(before, "Unmapped values")
        self.assertContains(before, "&lt;Purple&gt;")
        self.assertContains(home, "sends 1 unmapped value")
        self.assertContains(answer, "1 alert will be updated")
        self.assertNotContains(answer, "Unmapped values")
        self.assertEqual(Alert.objects.get().severity, Severity.CRITICAL)
