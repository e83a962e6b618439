from django.test import TestCase

from core.severity import Severity
from incidents.models import Incident, Status
from incidents.services import transition, update_many
from incidents.tests.factories import kinds_of, make_incident, make_team
from users.tests.factories import make_admin, make_reporter, make_responder


class UpdateManyTests(TestCase):
    def test_it_answers_for_each_id_in_order(self) -> None:
        member = make_responder()
        mine, closed = make_incident(), make_incident()
        transition(closed, Status.RESOLVED, by=None)
        transition(closed, Status.CLOSED, by=None)
        theirs = make_incident(by=make_admin(), team=make_team("Network"))
        hidden = make_incident(is_restricted=True)
        absent = hidden.pk + 1000

        results = update_many(
            [closed.pk, theirs.pk, absent, hidden.pk, mine.pk], by=member, status=Status.ACKNOWLEDGED, note="Ours"
        )

        self.assertEqual([row["id"] for row in results], [closed.pk, theirs.pk, absent, hidden.pk, mine.pk])
        self.assertEqual(
            [row.get("code") for row in results],
            ["invalid_transition", "permission_denied", "not_found", "not_found", None],
        )
        self.assertEqual(results[0]["allowed"], ["open"])
        self.assertEqual((results[4]["ok"], results[4]["status"], results[4]["version"]), (True, "acknowledged", 2))
        self.assertEqual(kinds_of(theirs), ["created"])
        self.assertEqual(kinds_of(hidden), ["created"])

    def test_it_changes_fields(self) -> None:
        incidents, team = [make_incident(), make_incident()], make_team("Network")
        assignee = make_responder()

        fields = {"team": team, "assignee": assignee, "severity": Severity.HIGH}
        results = update_many([row.pk for row in incidents], by=make_admin(), fields=fields, note="Storm")

        self.assertTrue(all(row["ok"] for row in results))
        for incident in Incident.objects.all():
            self.assertEqual((incident.team, incident.assignee, incident.severity), (team, assignee, Severity.HIGH))

    def test_it_does_the_same_thing_once_for_an_id_given_twice(self) -> None:
        incident = make_incident()

        results = update_many([incident.pk, incident.pk], by=make_admin(), status=Status.ACKNOWLEDGED)

        self.assertEqual([row["ok"] for row in results], [True, True])
        self.assertEqual(kinds_of(incident), ["created", "acknowledged"])

    def test_it_lets_a_reporter_change_nothing(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)

        results = update_many([incident.pk], by=reporter, status=Status.RESOLVED)

        self.assertEqual(results[0]["code"], "permission_denied")
