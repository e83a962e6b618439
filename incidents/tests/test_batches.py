"""Many incidents at once."""

from django.test import TestCase, TransactionTestCase

from core.severity import Priority, Severity
from incidents.models import Incident, Origin, Status
from incidents.search import filter_matching
from incidents.services import NewIncident, open_many, verify
from incidents.services.lifecycle import move_to
from incidents.services.recording import ChangeContext, IncidentChange, lock_many, save_all
from incidents.tests.factories import make_category, make_policy, make_service, make_team


class OpenManyTests(TestCase):
    def test_it_opens_them_in_order_and_whole(self) -> None:
        news = [NewIncident(title=f"Disk {number}", severity=Severity.HIGH) for number in range(3)]

        incidents = open_many(news, origin=Origin.ALERT)

        self.assertEqual([incident.title for incident in incidents], ["Disk 0", "Disk 1", "Disk 2"])
        self.assertEqual([verify(incident) for incident in incidents], [None] * 3)

    def test_it_gives_each_its_policy_team_and_services(self) -> None:
        team, service = make_team("Database"), make_service()
        category = make_category("disk")
        policy = make_policy(severity=Severity.CRITICAL, category=category)

        incident = open_many(
            [NewIncident(title="A", severity=Severity.CRITICAL, category=category, team=team, services=[service])],
            origin=Origin.ALERT,
        )[0]

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual((stored.team, stored.priority, list(stored.services.all())), (team, Priority.P1, [service]))
        self.assertEqual(stored.sla["ack_minutes"], policy.ack_minutes)

    def test_it_needs_as_many_queries_for_fifty_as_for_two(self) -> None:
        with self.assertNumQueries(7):
            open_many([NewIncident(title=f"Disk {number}") for number in range(50)], origin=Origin.ALERT)


class SearchTests(TransactionTestCase):
    """InnoDB's full-text index knows committed rows only."""

    def test_it_lets_them_be_found(self) -> None:
        open_many([NewIncident(title=f"Disk {number}") for number in range(3)], origin=Origin.ALERT)

        self.assertEqual(filter_matching(Incident.objects.all(), "disk", reads_internal=True).count(), 3)


class SaveAllTests(TestCase):
    def test_it_keeps_every_timeline_whole(self) -> None:
        incidents = open_many([NewIncident(title="A"), NewIncident(title="B")], origin=Origin.ALERT)
        locked = lock_many([incident.pk for incident in incidents])
        entries = [IncidentChange(incident, ChangeContext.now(None, Origin.ALERT)) for incident in locked.values()]
        for entry in entries:
            entry.add_event("alert_added", data={"alert": {"title": "x"}})
        move_to(entries[1], Status.RESOLVED, "")

        save_all(entries)

        stored = list(Incident.objects.order_by("pk"))
        self.assertEqual([incident.status for incident in stored], ["open", "resolved"])
        self.assertEqual([(incident.event_count, verify(incident)) for incident in stored], [(2, None), (3, None)])
