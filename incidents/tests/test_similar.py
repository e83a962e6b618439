from django.test import TestCase

from incidents.models import Incident
from incidents.search import similar_incidents
from incidents.services import comment, delete, update
from incidents.tests.factories import make_incident, make_team
from users.models import Role, User
from users.tests.factories import make_admin, make_reporter, make_responder


class SimilarIncidentsTests(TestCase):
    def test_it_finds_titles_that_share_most_words_the_most_alike_first(self) -> None:
        incident = make_incident(title="Printer in room 12 is on fire")
        close = make_incident(title="Printer on fire again")
        closest = make_incident(title="The printer in the room is on fire")
        make_incident(title="Checkout is down")

        found = similar_incidents(incident, make_responder())

        self.assertEqual(found, [closest, close])

    def test_it_keeps_hidden_incidents_and_internal_words_back(self) -> None:
        reporter, other = make_reporter(), make_reporter()
        incident = make_incident(by=reporter, title="Payroll export failed")
        restricted = make_incident(by=make_admin(), title="Payroll export failed", is_restricted=True)
        make_incident(by=other, title="Payroll export failed")
        said = make_incident(by=reporter, title="Something else")
        comment(said, "payroll export failed", by=None, visibility="internal")
        gone = make_incident(by=reporter, title="Payroll export failed")
        delete(gone, by=None)

        self.assertEqual(similar_incidents(incident, reporter), [])
        self.assertNotIn(restricted, similar_incidents(incident, make_responder()))

    def test_it_costs_the_same_for_any_number(self) -> None:
        team, by = make_team(), make_admin()
        incident = make_incident(by=by, title="Payroll export failed", team=team)
        for number in range(6):
            update(make_incident(title=f"Payroll export failed {number}"), by=by, fields={"team": team})

        with self.assertNumQueries(3):
            found = similar_incidents(incident, by)

        self.assertEqual(len(found), 5)

    def test_it_finds_nothing_for_titles_without_words(self) -> None:
        with self.assertNumQueries(0):
            self.assertEqual(similar_incidents(Incident(title="!!"), User(role=Role.ADMIN)), [])
