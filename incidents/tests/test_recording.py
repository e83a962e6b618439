"""Who else takes part in a change of an incident."""

from unittest import mock

from django.test import TestCase

from incidents.imports.replay import read_incident
from incidents.models import EventKind, Origin, Status
from incidents.services import NewIncident, acknowledge, open_many, recording
from incidents.services.importing import Names, import_batch
from incidents.services.lifecycle import move_to
from incidents.services.recording import ChangeContext, IncidentChange, register_participant, save_all
from incidents.tests.factories import make_incident, make_service
from incidents.tests.import_logs import MAPPING, NOW, cells
from responders.models import Service
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

    def test_it_shows_them_a_new_incident_with_its_services(self) -> None:
        seen: list[list[Service]] = []
        service = make_service()
        register_participant(lambda changes: seen.extend(list(one.incident.services.all()) for one in changes))

        open_many([NewIncident("A", services=[service])], origin="alert")

        self.assertEqual(seen, [[service]])

    def test_it_shows_them_all_changes_of_a_batch_written_at_once(self) -> None:
        incidents = open_many([NewIncident("A"), NewIncident("B"), NewIncident("C")], origin="alert")
        changes = [IncidentChange(incident, ChangeContext.now(None, Origin.ALERT)) for incident in incidents]
        move_to(changes[0], Status.RESOLVED, "")
        changes[1].add_event(EventKind.COMMENT, body="Rebooted.")
        changes[2].add_event("alert_added", data={"alert": {"title": "x"}})
        calls: list[list[int]] = []
        register_participant(lambda batch: calls.append([change.incident.events.count() for change in batch]))

        save_all(changes)

        self.assertEqual(calls, [[2, 2, 2]])

    def test_it_does_not_call_them_for_imported_history(self) -> None:
        imported, _ = read_incident([cells(2, state="New", updated="1/2/2016 08:05")], MAPPING, NOW)

        outcome = import_batch([imported], names=Names(MAPPING))

        self.assertEqual(outcome.imported, 1)

        self.assertEqual(self.told, [])

    def test_it_undoes_a_change_that_one_of_them_refuses(self) -> None:
        incident = make_incident()
        register_participant(mock.Mock(side_effect=LookupError))

        with self.assertRaises(LookupError):
            acknowledge(incident, by=make_admin())

        incident.refresh_from_db()
        self.assertEqual((incident.status, incident.events.count()), (Status.OPEN, 1))
