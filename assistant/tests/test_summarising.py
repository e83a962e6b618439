import datetime as dt

from django.test import TestCase
from django.utils import timezone, translation

from alerts.tests.factories import fire, make_source
from assistant.services.summarising import summarise
from assistant.suggestions import Summary
from assistant.vocabulary import SummaryPart
from core.severity import Severity
from incidents.models import Incident, Status
from incidents.services import comment, redact, transition, update
from incidents.tests.factories import make_incident, make_service, make_team
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder


def told(incident: Incident, viewer: User, *, later: dt.timedelta = dt.timedelta()) -> Summary:
    incident.refresh_from_db()
    return summarise(incident, viewer, timezone.now() + later)


def lines(summary: Summary, part: SummaryPart) -> list[str]:
    return [line.text for line in summary.lines if line.part == part]


class SummariseTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.reporter = make_reporter(name="Rita")
        cls.responder, cls.admin = make_responder(name="Bob"), make_admin(name="Ada")
        cls.incident = make_incident(by=cls.reporter, title="Checkout is down", services=[make_service()])

    def test_it_tells_what_where_and_what_is_open(self) -> None:
        summary = told(self.incident, self.admin)

        self.assertEqual(lines(summary, SummaryPart.WHAT), [f"{self.incident.reference}: Checkout is down"])
        self.assertIn("Services: Payments.", lines(summary, SummaryPart.IMPACT)[0])
        self.assertEqual(lines(summary, SummaryPart.STANDING), ["It is Open."])
        self.assertEqual(lines(summary, SummaryPart.OPEN), ["Nobody is assigned.", "No team has it."])
        self.assertEqual(summary.text.split("\n")[0], summary.lines[0].text)

    def test_it_tells_who_did_what_with_the_events(self) -> None:
        update(self.incident, by=self.admin, fields={"team": make_team("Database", self.responder)})
        transition(self.incident, Status.ACKNOWLEDGED, by=self.responder)
        said = comment(self.incident, "Restarting the pool", by=self.responder)

        summary = told(self.incident, self.admin)

        done = lines(summary, SummaryPart.DONE)
        self.assertTrue(done[-2].endswith("Bob acknowledged the incident."), done)
        self.assertTrue(done[-1].endswith("Bob wrote: Restarting the pool"), done)
        self.assertIn(said.pk, [one.id for one in summary.evidence])

    def test_it_names_questions_that_nobody_answered(self) -> None:
        comment(self.incident, "Who can reach the provider?", by=self.admin)
        asked = lines(told(self.incident, self.admin), SummaryPart.OPEN)[0]
        comment(self.incident, "I did, they look into it", by=self.reporter)

        answered = lines(told(self.incident, self.admin), SummaryPart.OPEN)

        self.assertEqual(asked, "Nobody has answered: “Who can reach the provider?”")
        self.assertNotIn(asked, answered)

    def test_it_says_how_long_nobody_said_anything(self) -> None:
        summary = told(self.incident, self.admin, later=dt.timedelta(hours=5, minutes=1))

        self.assertIn("Nothing has been said for 5 h 1 min.", lines(summary, SummaryPart.OPEN))

    def test_it_tells_reporters_no_internal_notes(self) -> None:
        comment(self.incident, "The vendor's contract ended", by=self.admin, visibility="internal")

        for_reporter, for_staff = told(self.incident, self.reporter), told(self.incident, self.responder)

        self.assertNotIn("contract", f"{for_reporter.text} {for_reporter.evidence}")
        self.assertIn("contract", for_staff.text)

    def test_it_tells_nothing_that_was_redacted(self) -> None:
        said = comment(self.incident, "The password is hunter2secret", by=self.admin)
        redact(said, by=self.admin)

        self.assertNotIn("hunter2secret", told(self.incident, self.admin).text)

    def test_it_counts_alerts_and_ends_with_the_end(self) -> None:
        incident = fire(make_source(), "disk", title="Disk is full").incident
        transition(incident, Status.RESOLVED, by=self.admin, note="Emptied it")

        summary = told(incident, self.admin)

        self.assertIn("1 alert, of which 1 fire.", lines(summary, SummaryPart.IMPACT)[0])
        self.assertIn(", for 0 min.", lines(summary, SummaryPart.SINCE)[0])
        self.assertEqual(lines(summary, SummaryPart.OPEN), [])
        self.assertEqual(lines(summary, SummaryPart.NEXT), ["Close it when nobody objects."])

    def test_it_speaks_the_readers_language(self) -> None:
        update(self.incident, by=self.admin, fields={"severity": Severity.HIGH})

        with translation.override("de"):
            done = lines(told(self.incident, self.admin), SummaryPart.DONE)

        self.assertIn("Schweregrad", " ".join(done))

    def test_it_costs_the_same_for_long_timelines(self) -> None:
        with self.assertNumQueries(3):
            summarise(self.incident, self.admin, timezone.now())
        for number in range(30):
            comment(self.incident, f"Update {number}", by=self.admin)
        incident = Incident.objects.select_related("team", "assignee").get(pk=self.incident.pk)

        with self.assertNumQueries(4):
            summary = summarise(incident, self.admin, timezone.now())

        self.assertEqual(len(lines(summary, SummaryPart.DONE)), 6)
