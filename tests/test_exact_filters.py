"""Filters that say exact take the same bytes, on both databases, and walk the index that they had."""

from typing import Any

from django.db import connection
from django.test import TestCase
from django.utils import timezone

from alerts.models import ChangeEvent
from alerts.tests.factories import fire, make_source
from incidents.models import Incident
from incidents.tests.factories import make_category, make_incident, make_service
from logs.lines import Line
from logs.tests.factories import make_lines
from users.tests.factories import client_of, make_admin

API = "/api/v1/"
ALIKE = ("Halle A", "halle a", "Hälle A", "HALLE A", "Halle\u00a0A")


class ExactFilterTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.client = client_of(self.admin)

    def found(self, path: str, **query: str) -> list[Any]:
        answer = self.client.get(f"{API}{path}", query)
        self.assertEqual(answer.status_code, 200, answer.content)
        return list(answer.json()["results"])

    def test_it_tells_locations_apart(self) -> None:
        for place in ALIKE:
            make_incident(by=self.admin, location=place)

        for place in ALIKE:
            self.assertEqual([row["location"] for row in self.found("incidents/", location=place)], [place])
        self.assertEqual(self.found("incidents/", location="halle"), [])
        exported = self.client.get(f"{API}incidents/export/", {"location": "halle a"})
        self.assertEqual(b"".join(exported.streaming_content).count(b"INC-"), 1)

    def test_it_tells_sources_categories_and_services_apart(self) -> None:
        make_incident(by=self.admin, category=make_category("network"), services=[make_service("payments")])

        for name, good, bad in (
            ("category", "network", "Network"),
            ("service", "payments", "PAYMENTS"),
            ("source", "api", "API"),
        ):
            self.assertEqual(len(self.found("incidents/", **{name: good})), 1, name)
            self.assertEqual(self.found("incidents/", **{name: bad}), [], name)

    def test_it_tells_labels_and_fingerprints_apart(self) -> None:
        source = make_source()
        for place in ALIKE:
            fire(source, place, labels={"place": place})

        for place in ALIKE:
            self.assertEqual([row["fingerprint"] for row in self.found("alerts/", fingerprint=place)], [place])
            by_label = self.found("alerts/", **{"label.place": place})
            self.assertEqual([row["labels"]["place"] for row in by_label], [place])

    def test_it_tells_services_and_hosts_of_lines_apart(self) -> None:
        make_lines(*(Line(place, service=place, host=place) for place in (*ALIKE, "Halle A ")))

        for place in ALIKE:
            for name in ("service", "host"):
                with self.subTest(place, name=name):
                    self.assertEqual([row[name] for row in self.found("logs/", **{name: place})], [place])

    def test_it_tells_services_of_changes_apart(self) -> None:
        ChangeEvent.objects.create(
            summary="Released", service=make_service("payments"), occurred_at=timezone.now(), received_at=timezone.now()
        )

        self.assertEqual(len(self.found("changes/", service="payments")), 1)
        self.assertEqual(self.found("changes/", service="Payments"), [])

    def test_it_walks_the_index(self) -> None:
        rows = Incident.objects.filter(location__exactly="Halle A").order_by("-created_at", "-id")[:50]

        plan = rows.explain()

        self.assertIn("incident_location", plan)
        if connection.vendor == "sqlite":
            self.assertNotIn("TEMP B-TREE", plan)
