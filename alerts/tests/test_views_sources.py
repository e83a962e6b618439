import datetime as dt

from auditlog.models import LogEntry
from django.test import TestCase, override_settings
from django.utils import timezone

from alerts.models import Alert, Heartbeat
from alerts.services import process_waiting
from alerts.tests.factories import fire, make_key, make_source
from incidents.models import Incident
from incidents.tests.factories import make_team
from intake.models import IntakeEvent, Source, SourceKey
from intake.readers import kinds, payload_readers
from intake.services.sources import create_key
from intake.vocabulary import LOGS, IntakeState
from users.tests.factories import client_of, make_admin, make_responder

SOURCES = "/api/v1/sources/"
HEARTBEATS = "/api/v1/heartbeats/"


class SourceCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin = make_admin()
        cls.team = make_team("Database", make_responder())

    def setUp(self):
        self.client = client_of(self.admin)

    def make(self, **fields):
        return self.client.post(SOURCES, {"name": "Prometheus", "kind": "prometheus", **fields})


class SourceTests(SourceCase):
    @override_settings(PUBLIC_URL="https://incidents.example.org/")
    def test_it_tells_the_key_once(self):
        answer = self.make(name="Disks", kind="generic")

        made = answer.json()
        self.assertEqual(answer.status_code, 201, made)
        self.assertRegex(made["key"], r"^[a-z0-9]{32}$")
        self.assertIn(f"https://incidents.example.org/intake/{made['key']}/", made["snippet"])
        self.assertEqual([key["prefix"] for key in made["keys"]], [made["key"][:4]])
        again = self.client.get(f"{SOURCES}{made['id']}/")
        self.assertNotIn(made["key"], again.content.decode())

    def test_it_leaves_flags_that_a_form_does_not_send_at_their_defaults(self):
        answer = self.client.post(
            SOURCES, "name=Scripts&kind=generic", content_type="application/x-www-form-urlencoded"
        )

        made = answer.json()
        self.assertEqual((answer.status_code, made["is_enabled"], made["auto_resolve"]), (201, True, True))

    def test_it_makes_a_key_that_opens_the_door(self):
        key = self.make(kind="generic").json()["key"]

        answer = self.client.post(f"/intake/{key}/", {"title": "Disk full"})

        self.assertEqual(answer.status_code, 202)

    def test_it_fills_the_snippet_of_every_kind(self):
        for kind in dict(kinds()):
            with self.subTest(kind):
                made = self.make(name=kind, kind=kind).json()

                self.assertIn(made["key"], made["snippet"])
                self.assertNotRegex(made["snippet"], r"{(key|url|host|scheme)}")

    def test_it_gives_each_tool_the_parts_of_our_address_that_it_asks_for(self):
        for url, scheme in (("http://127.0.0.1:8411", "http"), ("https://incidents.example.org/", "https")):
            with self.subTest(url), override_settings(PUBLIC_URL=url):
                prometheus = self.make(name=f"Prometheus {scheme}").json()["snippet"]
                sns = self.make(name=f"SNS {scheme}", kind="sns").json()["snippet"]

                self.assertIn(f"scheme: {scheme}\n", prometheus)
                self.assertIn(f'targets: ["{url.rstrip("/").removeprefix(f"{scheme}://")}"]', prometheus)
                self.assertIn(f"--protocol {scheme} ", sns)

    def test_it_takes_every_field(self):
        fields = {
            **{"default_severity": "high", "severity_map": {"SEV0": "critical"}, "group_by": ["cluster", "cluster"]},
            **{"auto_resolve": False, "rate_limit": 10, "heartbeat_minutes": 5, "expire_minutes": 6},
            **{"reopen_minutes": 7, "templates": {"title": "{{ check.name }}"}, "team": self.team.pk},
        }

        answer = self.make(kind="generic", signing_secret="hush", **fields)

        made = answer.json()
        expected = {**fields, "severity_map": {"sev0": "critical"}, "group_by": ["cluster"]}
        self.assertEqual({name: made.get(name) for name in expected}, expected, made)
        self.assertTrue(made["has_signing_secret"])
        self.assertNotIn("hush", answer.content.decode())
        self.assertIsNone(made["last_received_at"])

    def test_it_refuses_what_cannot_work(self):
        table = [
            ({"group_by": ["a b"]}, "group_by"),
            ({"group_by": "cluster"}, "group_by"),
            ({"group_by": [1]}, "group_by"),
            ({"severity_map": {"sev0": "awful"}}, "severity_map"),
            ({"severity_map": ["sev0"]}, "severity_map"),
            ({"severity_map": {"x": {}}}, "severity_map"),
            ({"kind": "generic", "templates": {"title": "{{ }}"}}, "templates"),
            ({"kind": "generic", "templates": {"tittle": "x"}}, "templates"),
            ({"kind": "generic", "templates": "x"}, "templates"),
            ({"kind": "prometheus", "templates": {"title": "x"}}, "templates"),
            ({"kind": "smoke signals"}, "kind"),
            ({"default_severity": 4}, "default_severity"),
            ({"rate_limit": 0}, "rate_limit"),
            ({"expire_minutes": 10**9}, "expire_minutes"),
            ({"colour": "red"}, "colour"),
        ]
        for fields, field in table:
            with self.subTest(fields=fields):
                answer = self.make(**fields)

                self.assertEqual(answer.status_code, 400, answer.content)
                self.assertEqual(answer.json()["errors"][0]["field"].split(".")[0], field)
        self.assertFalse(Source.objects.filter(name="Prometheus").exists())

    def test_it_refuses_a_name_that_differs_in_case_only(self):
        self.make()

        answer = self.make(name="PROMETHEUS")

        self.assertEqual(answer.status_code, 400, answer.content)
        self.assertEqual(SourceKey.objects.count(), 1)

    def test_it_keeps_templates_from_a_change_of_kind(self):
        source = make_source(templates={"title": "{{ a }}"})

        answer = self.client.patch(f"{SOURCES}{source.pk}/", {"kind": "prometheus"})

        self.assertEqual(answer.status_code, 400)

    def test_it_switches_a_source_off_at_once(self):
        source = make_source()
        key = make_key(source)
        before = self.client.post(f"/intake/{key}/", {"title": "x"}).status_code

        self.client.patch(f"{SOURCES}{source.pk}/", {"is_enabled": False})

        after = self.client.post(f"/intake/{key}/", {"title": "x"}).status_code
        self.assertEqual((before, after), (202, 403))

    def test_it_keeps_a_source_that_has_alerts(self):
        busy, idle = make_source(), make_source()
        idle_pk = idle.pk
        fire(busy)

        answers = [self.client.delete(f"{SOURCES}{source.pk}/") for source in (busy, idle)]

        self.assertEqual([answer.status_code for answer in answers], [409, 204])
        self.assertIn("Disable it", answers[0].json()["detail"])
        self.assertEqual(set(Source.objects.filter(pk__in=[busy.pk, idle_pk])), {busy})

    def test_it_writes_down_who_did_what(self):
        made = self.make(kind="generic").json()
        self.client.patch(f"{SOURCES}{made['id']}/", {"signing_secret": "hush-be-quiet", "rate_limit": 9})
        self.client.patch(f"{SOURCES}{made['id']}/", {"signing_secret": "whisper"})
        self.client.delete(f"{SOURCES}{made['id']}/keys/{made['keys'][0]['id']}/")

        entries = LogEntry.objects.filter(object_id=made["id"], content_type__model="source").order_by("pk")

        self.assertEqual({entry.actor for entry in entries}, {self.admin})
        told = str([entry.changes for entry in entries])
        self.assertIn("rate_limit", told)
        self.assertIn(f"{made['key'][:4]}… created", told)
        self.assertIn("revoked", told)
        self.assertIn("signing_secret", told)
        self.assertEqual([part for part in ("hush", "quiet", "whis", "per'") if part in told], [])
        self.assertNotIn(made["key"], told)

    def test_it_remembers_no_answer_that_holds_a_key(self):
        headers = {"Idempotency-Key": "one"}

        first = self.client.post(SOURCES, {"name": "A", "kind": "generic"}, headers=headers)
        second = self.client.post(SOURCES, {"name": "A", "kind": "generic"}, headers=headers)

        self.assertEqual((first.status_code, second.status_code), (201, 400))

    def test_it_lists_at_a_constant_cost(self):
        for _number in range(3):
            make_key(make_source())
        with self.assertNumQueries(2):
            self.client.get(SOURCES)
        for number in range(20):
            source = make_source(name=f"More {number}", team=self.team)
            make_key(source)
            make_key(source)

        with self.assertNumQueries(2):
            answer = self.client.get(SOURCES)

        self.assertGreaterEqual(len(answer.json()["results"]), 23)


class KeyTests(SourceCase):
    def test_it_lets_a_key_be_rotated(self):
        source = make_source()
        first = make_key(source)
        path = f"{SOURCES}{source.pk}/keys/"

        second = self.client.post(path)
        third = self.client.post(path)
        old = source.keys.get(prefix=first[:4], digest__isnull=False)
        gone = self.client.delete(f"{path}{old.pk}/")
        again = self.client.post(path)

        self.assertEqual(
            [second.status_code, third.status_code, gone.status_code, again.status_code], [201, 409, 204, 201]
        )
        self.assertEqual(third.json()["code"], "too_many_keys")
        self.assertEqual(set(second.json()), {"id", "prefix", "created_at", "key", "snippet"})
        self.assertEqual(self.client.post(f"/intake/{second.json()['key']}/", {"title": "x"}).status_code, 202)

    def test_it_takes_only_the_source_s_own_keys_back(self):
        mine, other = make_source(), make_source()
        create_key(other)
        key = other.keys.get()

        answers = [self.client.delete(f"{SOURCES}{mine.pk}/keys/{pk}/").status_code for pk in (key.pk, 10**30, 0)]

        self.assertEqual(answers, [404, 404, 404])
        self.assertEqual(other.keys.count(), 1)


class SampleTests(SourceCase):
    def test_it_sends_a_sample_of_every_kind(self):
        for kind in sorted(payload_readers()):
            with self.subTest(kind):
                source = make_source(kind=kind, signing_secret="hush")

                answer = self.client.post(f"{SOURCES}{source.pk}/test/")

                came = answer.json()
                self.assertEqual((answer.status_code, came["status"]), (200, 202), came)
                self.assertTrue(came["alerts"])
                event = IntakeEvent.objects.get(pk=came["event"])
                self.assertEqual((event.source, event.state), (source, IntakeState.WAITING))

    def test_it_goes_the_way_of_a_real_request(self):
        source = make_source(kind="prometheus")

        came = self.client.post(f"{SOURCES}{source.pk}/test/").json()
        process_waiting()

        alerts = Alert.objects.filter(source=source)
        self.assertEqual({alert.title for alert in alerts}, {alert["title"] for alert in came["alerts"]})
        self.assertEqual(IntakeEvent.objects.get().state, IntakeState.DONE)
        self.assertTrue(Incident.objects.exists())

    def test_it_can_be_sent_twice(self):
        source = make_source(kind="github")

        events = [self.client.post(f"{SOURCES}{source.pk}/test/").json()["event"] for _ in range(2)]

        self.assertEqual(IntakeEvent.objects.filter(pk__in=events).count(), 2)

    def test_it_says_why_there_is_none(self):
        for source in (make_source(kind=LOGS), make_source(is_enabled=False)):
            with self.subTest(source=source.kind):
                answer = self.client.post(f"{SOURCES}{source.pk}/test/")

                self.assertEqual(answer.status_code, 409)
        self.assertEqual(IntakeEvent.objects.count(), 0)

    def test_it_tells_what_the_sender_would_be_told(self):
        source = make_source(rate_limit=1)
        self.client.post(f"{SOURCES}{source.pk}/test/")

        came = self.client.post(f"{SOURCES}{source.pk}/test/").json()

        self.assertEqual((came["status"], came["event"]), (429, None))
        self.assertIn("requests a minute", came["detail"])


class HeartbeatTests(SourceCase):
    def test_it_is_kept_by_administrators(self):
        source = make_source()

        made = self.client.post(HEARTBEATS, {"source": source.pk, "name": "backup", "interval_minutes": 60}).json()
        changed = self.client.patch(f"{HEARTBEATS}{made['id']}/", {"interval_minutes": 30}).json()
        gone = self.client.delete(f"{HEARTBEATS}{made['id']}/")

        self.assertEqual((changed["interval_minutes"], changed["is_missed"], gone.status_code), (30, False, 204))
        self.assertEqual(Heartbeat.objects.count(), 0)

    def test_it_knows_one_by_its_name(self):
        source = make_source()
        fields = {"source": source.pk, "name": "backup", "interval_minutes": 60}
        self.client.post(HEARTBEATS, fields)

        answer = self.client.post(HEARTBEATS, fields)

        self.assertEqual(answer.status_code, 400)

    def test_it_says_which_is_missed(self):
        source, long_ago = make_source(), timezone.now() - dt.timedelta(minutes=11)
        make = Heartbeat.objects.create
        make(source=source, name="a", interval_minutes=10, last_ping_at=long_ago)
        make(source=source, name="b", interval_minutes=12, last_ping_at=long_ago)
        make(source=source, name="c", interval_minutes=10, last_ping_at=long_ago, is_enabled=False)

        with self.assertNumQueries(1):
            found = self.client.get(HEARTBEATS).json()["results"]

        self.assertEqual([one["is_missed"] for one in found], [True, False, False])

    def test_it_takes_no_beat_from_people(self):
        made = self.client.post(
            HEARTBEATS, {"source": make_source().pk, "name": "b", "last_ping_at": "2020-01-01T00:00:00Z"}
        ).json()

        self.assertFalse(made["last_ping_at"].startswith("2020"))
