import orjson
from django.test import SimpleTestCase

from status_page.rendering import render
from status_page.rendering.snapshot import Span, Text
from status_page.tests.snapshots import HOSTILE, NOW, ago, announcement, component, snapshot
from status_page.vocabulary import Impact, Kind, State


def document(whole):
    return orjson.loads(render(whole, NOW)["status.json"])


class DocumentTests(SimpleTestCase):
    def test_it_tells_programs_what_the_page_says(self):
        planned = announcement(
            uid="m", kind=Kind.MAINTENANCE, state=State.SCHEDULED, starts_at=ago(days=-1), ends_at=ago(days=-2)
        )
        found = document(
            snapshot(announcement(), planned, components=(component(7, Span(Impact.PARTIAL_OUTAGE, ago(hours=1))),))
        )

        self.assertEqual(
            (found["status"], found["updated_at"], found["stale"]), ("partial_outage", "2026-11-30T12:00:00Z", False)
        )
        self.assertEqual(found["page"]["languages"], ["en", "de"])
        self.assertEqual(found["page"]["translations"], {"de": {"name": "Acme-Status"}})
        [shown] = found["components"]
        self.assertEqual(
            (shown["id"], shown["name"], shown["group"], shown["status"]), (7, "Website", None, "partial_outage")
        )
        self.assertLess(shown["uptime_90d"], 100)
        [incident] = found["incidents"]
        self.assertEqual(incident["translations"], {"de": {"title": "Kasse gestört"}})
        self.assertEqual(incident["updates"][0]["message"], "We look into it.")
        self.assertEqual(incident["url"], "https://acme.example/status/incidents/a1.html")
        self.assertEqual([one["id"] for one in found["maintenance"]], ["m"])

    def test_it_leaves_out_what_is_over(self):
        self.assertEqual(document(snapshot(announcement(ended_at=ago(minutes=1))))["incidents"], [])

    def test_it_survives_hostile_names(self):
        found = document(snapshot(announcement(title=Text(HOSTILE)), name=Text(HOSTILE)))

        self.assertEqual((found["page"]["name"], found["incidents"][0]["title"]), (HOSTILE, HOSTILE))
