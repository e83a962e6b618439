import datetime as dt
from typing import Any

from django.test import TestCase
from django.utils import timezone

from assistant.models import RoutingSuggestion, week_of
from assistant.services.accuracy import accuracy, misses
from assistant.services.routing_records import outcome_of
from assistant.vocabulary import RoutingOutcome
from incidents.models import Incident
from incidents.tests.factories import make_incident, make_team
from tests.people import signed_in
from users.tests.factories import make_admin


class AccuracyTests(TestCase):
    """How often suggestions were right."""

    def setUp(self) -> None:
        self.network, self.office = make_team("Network"), make_team("Office")
        self.now = timezone.now()

    def suggested(self, **fields: Any) -> RoutingSuggestion:
        """A compared suggestion of a team."""
        at = fields.pop("at", self.now - dt.timedelta(minutes=1))
        incident = fields.pop("incident", None) or make_incident(title="VPN tunnel")
        told = {"confidence": 0.85, "band": 8, "model_version": 1, "origin": "api", "field": "team", **fields}
        row = RoutingSuggestion(incident=incident, at=at, week=week_of(at), **told)
        row.ranked = [[self.network.pk, 0.85], [self.office.pk, 0.1]]
        row.outcome = fields.get("outcome") or outcome_of(row)
        row.save()
        return row

    def test_it_counts_by_field_week_and_confidence(self) -> None:
        right = {"suggested": self.network.pk, "became": self.network.pk}
        self.suggested(**right, opened_with=self.office.pk)
        self.suggested(**right, opened_with=self.network.pk)
        self.suggested(**right)
        self.suggested(suggested=self.network.pk, became=self.office.pk)
        self.suggested(suggested=self.network.pk, became=0, confidence=0.55, band=5)
        self.suggested(suggested=None, became=self.office.pk, confidence=0, band=0)
        self.suggested(suggested=self.network.pk, became=None)
        self.suggested(suggested=self.network.pk, outcome=RoutingOutcome.WAITING)
        self.suggested(**right, at=self.now - dt.timedelta(days=40))

        team, category, _severity = accuracy(self.now - dt.timedelta(days=14), self.now)

        self.assertEqual((team.counts.compared, team.counts.right, team.counts.in_three), (5, 3, 4))
        self.assertEqual((team.counts.changed, team.counts.silent, team.counts.total), (2, 1, 8))
        self.assertEqual(team.spared, 2)
        self.assertEqual([(band.compared, band.right) for band in team.bands], [(1, 0), (4, 3)])
        self.assertAlmostEqual(team.bands[1].said, 0.85)
        self.assertEqual(len(team.weeks), 3)
        self.assertEqual(sum(counts.total for _, counts in team.weeks), 8)
        self.assertEqual((category.counts.total, category.counts.share_right), (0, None))

    def test_it_counts_no_restricted_or_deleted_incident(self) -> None:
        for field, value in (("is_restricted", True), ("deleted_at", self.now)):
            row = self.suggested(suggested=self.network.pk, became=self.office.pk)
            Incident.objects.filter(pk=row.incident_id).update(**{field: value})

        self.assertEqual(accuracy(self.now - dt.timedelta(days=1), self.now)[0].counts.total, 0)
        self.assertEqual(misses(), [])

    def test_it_names_recent_misses(self) -> None:
        row = self.suggested(suggested=self.network.pk, became=self.office.pk)
        self.suggested(suggested=self.network.pk, became=self.network.pk)

        self.assertEqual([(one.row, one.suggested, one.became) for one in misses()], [(row, "Network", "Office")])

    def test_it_tells_administrators_over_rest(self) -> None:
        self.suggested(suggested=self.network.pk, became=self.network.pk)
        self.suggested(suggested=self.network.pk, became=self.office.pk)

        found = signed_in(make_admin()).get("/api/v1/suggestions/accuracy/?days=7")
        refused = signed_in(make_admin()).get("/api/v1/suggestions/accuracy/?days=0")

        team = next(one for one in found.json()["by_field"] if one["field"] == "team")
        self.assertEqual((team["compared"], team["right"], team["share_right"]), (2, 1, 0.5))
        self.assertIsNone(found.json()["learnt_from"])
        self.assertEqual(refused.status_code, 400)
