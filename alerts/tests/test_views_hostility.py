"""What people send who mean no good: no route of alerts answers with a 5xx, whatever comes."""

from django.db import transaction
from django.test import TestCase, override_settings

from alerts.filters import ALERTS, CHANGES, SILENCES
from alerts.models import Heartbeat
from alerts.tests.factories import fire, make_key, make_route, make_silence, make_source
from incidents.tests.factories import make_incident
from intake.filters import INTAKE_EVENTS
from intake.models import IntakeEvent
from intake.vocabulary import IntakeState
from tests import hostile
from tests.people import signed_in
from users.tests.factories import make_admin

API = "/api/v1/"
IDS = ("0", "-1", "9" * 18, "9" * 30, "x", "%00", "\u0661", "1%0A", "%F0%9F%92%A9")


@override_settings(RATES_PER_ADDRESS={})
class HostilityTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin = make_admin()
        cls.source = make_source()
        make_key(cls.source)
        cls.alert, cls.incident = fire(cls.source), make_incident(by=cls.admin)
        cls.route, cls.silence = make_route(is_enabled=False), make_silence(("host", "=", "db-3"))
        cls.beat = Heartbeat.objects.create(source=cls.source, name="backup")
        cls.event = IntakeEvent.objects.create(
            source=cls.source,
            format="generic",
            body=b"{",
            state=IntakeState.FAILED,
            received_at=cls.alert.first_seen_at,
        )

    def setUp(self):
        self.client = signed_in(self.admin)

    def write_routes(self):
        """(method, path, a body that is valid)."""
        matchers = [{"name": "host", "op": "=~", "value": "db.*"}]
        source = {
            **{"name": "x", "kind": "generic", "team": None, "is_enabled": True, "default_severity": "low"},
            **{"severity_map": {}, "group_by": [], "auto_resolve": True, "reopen_minutes": 5, "expire_minutes": None},
            **{"heartbeat_minutes": None, "rate_limit": 5, "templates": {}, "signing_secret": ""},
        }
        route = {
            **{"name": "x", "position": 1, "is_enabled": True, "matchers": matchers, "drop": False, "team": None},
            **{"severity": "low", "priority": "p1", "category": None, "service": None, "group_by": ["a"]},
            **{"open_after": {"count": 1, "minutes": 1}, "continue": True},
        }
        silence = {
            **{"matchers": matchers, "starts_at": "2026-11-21T00:00:00Z", "ends_at": "2026-11-22T00:00:00Z"},
            **{"comment": "x", "weekdays": [1], "starts_time": "10:00", "ends_time": "12:00", "time_zone": "UTC"},
        }
        alert = {
            **{"title": "x", "severity": "low", "description": "x", "labels": {"a": "b"}, "fingerprint": "x"},
            "starts_at": "2026-11-21T00:00:00Z",
        }
        change = {
            **{"summary": "x", "service": None, "origin": "x", "details": {"a": "b"}},
            **{"links": [{"href": "https://example.org", "text": "x"}], "occurred_at": "2026-11-21T00:00:00Z"},
        }
        return [
            ("post", "sources/", source),
            ("patch", f"sources/{self.source.pk}/", source),
            ("post", "heartbeats/", {"source": self.source.pk, "name": "x", "interval_minutes": 5, "is_enabled": True}),
            ("post", "routes/", route),
            ("patch", f"routes/{self.route.pk}/", route),
            ("post", "routes/reorder/", {"ids": [self.route.pk]}),
            ("post", "routes/simulate/", {"alert": alert, "source": self.source.pk, "at": "2026-11-21T00:00:00Z"}),
            ("post", "routes/simulate/", {"payload": {"title": "x"}, "headers": {}, "source": self.source.pk}),
            ("post", "silences/", silence),
            ("patch", f"silences/{self.silence.pk}/", silence),
            ("post", "changes/", change),
            ("post", "intake-events/replay/", {"ids": [self.event.pk]}),
            ("post", "intake-events/replay/", {"state": "failed", "source": self.source.pk}),
            ("post", f"alerts/{self.alert.pk}/move/", {"incident": str(self.incident.pk)}),
            ("post", "alerts/split/", {"alerts": [self.alert.pk], "title": "x"}),
            ("post", f"incidents/{self.incident.pk}/merge/", {"into": str(self.alert.incident_id)}),
        ]

    def send(self, method, path, body, **options):
        with transaction.atomic():
            answer = getattr(self.client, method)(API + path, body, **options)
            transaction.set_rollback(True)
        return answer

    def assert_survives(self, answer):
        self.assertLess(answer.status_code, 500, answer.content[:500])
        if answer.status_code >= 400:
            self.assertEqual(answer["Content-Type"], "application/problem+json")
            self.assertTrue(answer.json()["detail"])

    def test_it_takes_what_is_valid(self):
        for method, path, body in self.write_routes():
            with self.subTest(f"{method} {path}"):
                answer = self.send(method, path, body)

                self.assertIn(answer.status_code, (200, 201), answer.content)

    def test_it_survives_any_value_in_any_field(self):
        for method, path, valid in self.write_routes():
            for field in valid:
                for number, value in enumerate(hostile.VALUES):
                    with self.subTest(f"{method} {path}", field=field, number=number):
                        self.assert_survives(self.send(method, path, {**valid, field: value}))

    def test_it_survives_any_value_within_a_field(self):
        for number, value in enumerate(hostile.VALUES):
            bodies = [
                ("routes/", {"name": "x", "matchers": [{"name": value, "op": "=", "value": "x"}]}),
                ("routes/", {"name": "x", "matchers": [{"name": "x", "op": value, "value": "x"}]}),
                ("routes/", {"name": "x", "matchers": [{"name": "x", "op": "=~", "value": value}]}),
                ("routes/", {"name": "x", "open_after": {"count": value}}),
                ("sources/", {"name": "x", "kind": "generic", "severity_map": {"x": value}}),
                ("sources/", {"name": "x", "kind": "generic", "templates": {"title": value}}),
                ("sources/", {"name": "x", "kind": "generic", "templates": {"labels": {"x": value}}}),
                ("routes/simulate/", {"alert": {"labels": {"x": value}}}),
                ("changes/", {"summary": "x", "links": [{"href": value}]}),
            ]
            for path, body in bodies:
                with self.subTest(path, body=str(body)[:80], number=number):
                    self.assert_survives(self.send("post", path, body))

    def test_it_survives_any_body(self):
        for method, path, _valid in self.write_routes():
            for number, body in enumerate(hostile.BODIES):
                for headers in ({}, {"Idempotency-Key": f"key {number}"}):
                    with self.subTest(f"{method} {path}", number=number, headers=headers):
                        answer = self.send(method, path, body, content_type="application/json", headers=headers)

                        self.assert_survives(answer)

    def test_it_survives_any_query(self):
        lists = {
            **{"alerts/": [*ALERTS.filters, "label.host", "label."], "changes/": CHANGES.filters},
            **{"intake-events/": INTAKE_EVENTS.filters, "silences/": SILENCES.filters, "routes/": (), "sources/": ()},
        }
        for path, names in lists.items():
            for name in [*names, "cursor", "page_size", "ordering"]:
                for text in hostile.TEXTS:
                    with self.subTest(path, name=name, text=text[:40]):
                        self.assert_survives(self.client.get(API + path, {name: text}))

    def test_it_survives_any_name_of_a_label(self):
        for text in hostile.TEXTS:
            with self.subTest(text=text[:40]):
                self.assert_survives(self.client.get(f"{API}alerts/", {f"label.{text}": "x"}))

    def test_it_survives_any_id_in_a_path(self):
        paths = ("sources/{}/", "routes/{}/", "silences/{}/", "heartbeats/{}/", "alerts/{}/", "intake-events/{}/")
        paths += ("incidents/{}/alerts/", "incidents/{}/changes/")
        for path in paths:
            for text in IDS:
                with self.subTest(path, text=text):
                    answer = self.client.get(API + path.format(text))

                    self.assertIn(answer.status_code, (200, 404) if path.startswith("incidents") else (404,))
                    self.assert_survives(answer)
        for path in ("sources/{}/test/", "sources/{}/keys/", "silences/{}/end/", "intake-events/{}/replay/"):
            for text in IDS:
                with self.subTest(path, text=text):
                    self.assertEqual(self.send("post", path.format(text), {}).status_code, 404)
