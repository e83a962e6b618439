"""Who else takes part in a change of an incident."""

from unittest import mock

from django.test import TestCase

from incidents.models import Status
from incidents.services import NewIncident, acknowledge, open_many, recording
from incidents.services.recording import IncidentChange, register_participant
from incidents.tests.factories import make_incident
from users.tests.factories import make_admin


class ParticipantTests(TestCase):
    def setUp(self) -> None:
        patcher = mock.patch.object(recording, "participants", [])
        patcher.start()
        self.addCleanup(patcher.stop)
        self.told: list[IncidentChange] = []
        register_participant(lambda changes: self.told.extend(changes))

    def test_it_tells_them_of_each_change_once_it_is_written(self) -> None:
        incident = make_incident()

        acknowledge(incident, by=make_admin())

        opened, acknowledged = self.told
        self.assertEqual([event.kind for event in opened.events], ["created"])
        self.assertEqual((acknowledged.before["status"], acknowledged.incident.status), ("open", "acknowledged"))

    def test_it_tells_them_of_many_at_once(self) -> None:
        open_many([NewIncident("A"), NewIncident("B")], origin="alert")

        self.assertEqual([change.incident.title for change in self.told], ["A", "B"])

    def test_it_undoes_a_change_that_one_of_them_refuses(self) -> None:
        incident = make_incident()
        register_participant(mock.Mock(side_effect=LookupError))

        with self.assertRaises(LookupError):
            acknowledge(incident, by=make_admin())

        incident.refresh_from_db()
        self.assertEqual((incident.status, incident.events.count()), (Status.OPEN, 1))
