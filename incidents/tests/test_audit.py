from auditlog.models import LogEntry
from django.test import TestCase

from core.severity import Severity
from incidents import services
from incidents.models import Incident
from incidents.tests.factories import MONDAY, make_incident, make_team, minutes, report
from users.tests.factories import client_of, make_admin, make_responder


def entries(incident: Incident, action: int) -> list[LogEntry]:
    return list(LogEntry.objects.get_for_object(incident).filter(action=action))


class AuditTests(TestCase):
    def test_it_records_the_reporting(self) -> None:
        reporter = make_responder()

        incident = report(by=reporter, title="Secret", severity=Severity.HIGH, location="Zürich")

        [entry] = entries(incident, LogEntry.Action.CREATE)
        self.assertEqual(entry.actor, reporter)
        self.assertEqual(entry.actor_email, reporter.email)
        self.assertEqual(entry.changes["location"], ["None", "Zürich"])
        self.assertEqual(entry.changes["severity"], ["None", str(Severity.HIGH.value)])
        self.assertEqual(entry.changes["reporter"], ["None", str(reporter.pk)])
        self.assertEqual(entry.changes["id"], ["None", str(incident.pk)])
        self.assertNotIn("title", entry.changes)

    def test_it_records_changes_as_a_save_is_recorded(self) -> None:
        admin, team, kept = make_admin(), make_team("Network"), make_incident(occurred_at=MONDAY)
        written, at = make_incident(occurred_at=MONDAY), MONDAY + minutes(5)

        services.update(written, by=admin, fields={"team": team, "is_restricted": True, "occurred_at": at})
        kept.team, kept.is_restricted, kept.occurred_at = team, True, at
        kept.save(update_fields=["team", "is_restricted", "occurred_at"])

        [straight], [saved] = (entries(one, LogEntry.Action.UPDATE) for one in (written, kept))
        self.assertEqual(straight.changes, saved.changes)
        self.assertEqual(straight.content_type, saved.content_type)
        self.assertEqual(straight.object_pk, str(written.pk))
        self.assertEqual(straight.actor, admin)

    def test_it_records_no_change_where_only_text_was_said(self) -> None:
        incident = make_incident()

        services.comment(incident, "We look at it.", by=make_admin())

        self.assertEqual(entries(incident, LogEntry.Action.UPDATE), [])

    def test_it_records_where_a_request_came_from(self) -> None:
        incident = make_incident()

        client_of(make_admin()).patch(f"/api/v1/incidents/{incident.pk}/", {"status": "acknowledged"})

        [entry] = entries(incident, LogEntry.Action.UPDATE)
        self.assertEqual(entry.changes["status"], ["open", "acknowledged"])
        self.assertEqual(entry.remote_addr, "127.0.0.1")
