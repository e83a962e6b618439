"""The shipped ServiceNow mapping against real input, whose figures were computed by somebody else."""

import json
import math
import time
from io import StringIO
from typing import Any
from unittest import skipUnless

from django.conf import settings
from django.core.management import call_command
from django.db.models import QuerySet
from django.test import TestCase

from core.severity import Priority
from incidents.models import Incident, IncidentEvent
from incidents.services import verify_all
from incidents.snapshot import ENCODERS, encode_field, replay_changes

FOLDER = settings.BASE_DIR.parent / "shared" / "data" / "incidents"
LOG = FOLDER / "servicenow_sample.csv.gz"
PRIORITIES = {
    "1 - Critical": Priority.P1,
    "2 - High": Priority.P2,
    "3 - Moderate": Priority.P3,
    "4 - Low": Priority.P4,
}


def figures(seconds: list[int]) -> dict[str, float]:
    """Count, mean and nearest-rank percentiles, worked out the plain way."""
    ordered = sorted(seconds)
    ranks = {f"p{share}_seconds": ordered[math.ceil(len(ordered) * share / 100) - 1] for share in (50, 90, 95)}
    return {"count": len(ordered), "mean_seconds": sum(ordered) / len(ordered), **ranks}


@skipUnless(LOG.exists(), f"the real log is not at {LOG}")
class ServiceNowTests(TestCase):
    """The sample, imported once."""

    truth: dict[str, Any]
    seconds: float

    @classmethod
    def setUpTestData(cls) -> None:
        cls.truth = json.loads((FOLDER / "servicenow_sample.truth.json").read_text())
        begun = time.monotonic()
        call_command("import_incidents", LOG, mapping="servicenow_incident_log", stdout=StringIO(), stderr=StringIO())
        cls.seconds = time.monotonic() - begun

    def assert_agrees(self, incidents: "QuerySet[Incident]", truth: dict[str, Any]) -> None:
        acknowledged = incidents.filter(ack_seconds__isnull=False).values_list("ack_seconds", flat=True)
        resolved = incidents.filter(status__in=["resolved", "closed"], resolve_seconds__isnull=False)
        for name, seconds in (
            ("acknowledged", list(acknowledged)),
            ("resolved", list(resolved.values_list("resolve_seconds", flat=True))),
        ):
            found = figures(seconds)
            for key, value in truth[name].items():
                self.assertAlmostEqual(found[key], value, places=6, msg=f"{name} {key}")
        self.assertEqual(incidents.count(), truth["incidents"])
        self.assertEqual(incidents.filter(resolved_at__isnull=True).count(), truth["without_resolved_at"])
        self.assertEqual(incidents.filter(reopen_count__gt=0).count(), truth["reopened"])

    def test_it_agrees_with_the_figures_computed_elsewhere(self) -> None:
        self.assert_agrees(Incident.objects.all(), self.truth)
        self.assertEqual(set(self.truth["by_priority"]), set(PRIORITIES))
        for name, truth in self.truth["by_priority"].items():
            with self.subTest(name):
                self.assert_agrees(Incident.objects.filter(priority=PRIORITIES[name]), truth)

    def test_it_leaves_whole_timelines_that_fold_into_the_columns(self) -> None:
        faults = [fault for fault in verify_all() if fault]
        wrong = []
        for incident in Incident.objects.prefetch_related("events").select_related("team", "category"):
            state = replay_changes(event.data["changes"] for event in incident.events.all())
            wrong += [(incident, n) for n in ENCODERS if state[n] != encode_field(n, getattr(incident, n))]

        self.assertEqual(faults, [])
        self.assertEqual(wrong, [])

    def test_it_tells_the_same_when_run_again(self) -> None:
        counts = (Incident.objects.count(), IncidentEvent.objects.count())
        out = StringIO()

        call_command("import_incidents", LOG, mapping="servicenow_incident_log", stdout=out, stderr=StringIO())

        self.assertIn("Imported 0 incidents", out.getvalue())
        self.assertEqual((Incident.objects.count(), IncidentEvent.objects.count()), counts)

    def test_it_keeps_every_move_of_the_log(self) -> None:
        moves = IncidentEvent.objects.filter(kind__in=["resolved", "closed", "reopened"]).values_list("kind", flat=True)
        kinds = list(moves)

        self.assertEqual(
            {kind: kinds.count(kind) for kind in set(kinds)}, {"resolved": 2045, "closed": 2019, "reopened": 27}
        )
