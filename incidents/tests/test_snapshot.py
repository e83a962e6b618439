from typing import Any

from django.test import TestCase

from core.severity import Severity
from incidents.models import Incident
from incidents.services import history
from incidents.snapshot import ENCODERS, encode_field, initial_changes, replay_changes
from incidents.tests.factories import MONDAY, folded, make_incident, make_team
from incidents.tests.walks import Walk
from users.tests.factories import make_admin, make_responder

WALKS = 200
STEPS = 6


def present(incident: Incident) -> dict[str, Any]:
    """The incident's columns, in the words that events use."""
    state = {name: encode_field(name, getattr(incident, name)) for name in ENCODERS}
    return {**state, "services": sorted(incident.services.values_list("slug", flat=True))}


class FoldTests(TestCase):
    def test_it_begins_with_nothing(self) -> None:
        state = replay_changes([])

        self.assertEqual(set(state), {*ENCODERS, "services"})
        self.assertEqual((state["title"], state["team"], state["reopen_count"]), ("", None, 0))

    def test_it_takes_the_last_of_several_changes(self) -> None:
        state = replay_changes([{"title": [None, "One"]}, {"title": ["One", "Two"], "services": [[], ["db"]]}])

        self.assertEqual((state["title"], state["services"]), ("Two", ["db"]))

    def test_it_speaks_the_words_of_the_api(self) -> None:
        incident = make_incident(
            by=make_admin(name="Alice"),
            severity=Severity.CRITICAL,
            team=make_team("Network"),
            assignee=make_responder(name="Bob"),
            at=MONDAY,
        )

        changes = initial_changes(incident, ["web", "db"])

        self.assertEqual(changes["severity"], [None, "critical"])
        self.assertEqual(changes["priority"], [None, "p1"])
        self.assertEqual(changes["created_at"], [None, "2026-03-02T10:00:00Z"])
        self.assertEqual(changes["team"], [None, {"id": incident.team_id, "name": "Network"}])
        self.assertEqual(changes["assignee"][1]["name"], "Bob")
        self.assertEqual(changes["services"], [None, ["db", "web"]])
        self.assertNotIn("location", changes)

    def test_it_does_not_change_the_past_when_a_team_is_renamed(self) -> None:
        team = make_team("Network")
        incident = make_incident(by=make_admin(), team=team)

        team.name = "Plumbing"
        team.save(update_fields=["name"])

        self.assertEqual(folded(incident)["team"]["name"], "Network")


class WalkTests(TestCase):
    """The property that `as_of` and the history stand on: events alone tell what the incident is."""

    def test_it_equals_the_columns_after_any_sequence_of_acts(self) -> None:
        walk = Walk(seed=1)
        for number in range(WALKS):
            incident = walk.report()
            for _ in range(STEPS):
                walk.step(incident, with_deletion=True)
            stored = Incident.objects.get(pk=incident.pk)

            with self.subTest(walk=number):
                self.assertEqual(folded(stored), present(stored))
                self.assertIsNone(history.verify(stored))
                self.assertEqual(stored.event_count, stored.events.count())
