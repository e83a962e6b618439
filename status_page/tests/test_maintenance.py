import datetime as dt

from django.test import TestCase

from core.errors import Conflict, DomainError, InvalidTransition
from incidents.tests.factories import MONDAY, make_incident
from status_page.models import PublicIncident
from status_page.services import maintenance, publishing
from status_page.services.components import statuses
from status_page.tests.factories import make_component, make_maintenance, make_page
from users.tests.factories import make_admin, make_responder

HOUR = dt.timedelta(hours=1)
START, END = MONDAY + HOUR, MONDAY + 2 * HOUR


class MaintenanceTests(TestCase):
    def setUp(self):
        self.by = make_responder()
        self.website = make_component()
        self.row = self.planned()

    def planned(self, **values):
        shown = {"starts_at": START, "ends_at": END, "at": MONDAY, "components": [self.website], **values}
        return make_maintenance(**{"by": self.by, **shown})

    def reread(self):
        return PublicIncident.objects.get(pk=self.row.pk)

    def status(self):
        return statuses().get(self.website.pk, "operational")

    def test_it_refuses_times_that_no_page_can_show(self):
        for name, year in (("starts_at", 1), ("ends_at", 9999)):
            with self.subTest(name), self.assertRaisesRegex(DomainError, name):
                self.planned(**{name: dt.datetime(year, 12, 31, tzinfo=dt.UTC)})

    def test_it_affects_nothing_before_it_begins(self):
        self.assertEqual(maintenance.step_maintenance(START - HOUR / 2), 0)

        self.assertEqual((self.reread().state, self.status()), ("scheduled", "operational"))

    def test_it_begins_and_completes_at_the_planned_times(self):
        late = dt.timedelta(seconds=7)

        began = maintenance.step_maintenance(START + late)
        during = (self.reread().state, self.status())
        maintenance.step_maintenance(START + late)
        ended = maintenance.step_maintenance(END + late)

        row = self.reread()
        self.assertEqual((began, ended), (1, 1))
        self.assertEqual(during, ("in_progress", "maintenance"))
        self.assertEqual((row.state, row.ended_at, row.next_step_at), ("completed", END, None))
        self.assertEqual(list(row.spans.values_list("began_at", "ended_at")), [(START, END)])
        self.assertEqual([one.state for one in row.updates.all()], ["scheduled", "in_progress", "completed"])
        self.assertEqual([one.tell_at for one in row.updates.all()], [MONDAY, START + late, END + late])

    def test_it_catches_up_and_does_not_tell_of_a_beginning_that_is_over(self):
        steps = maintenance.step_maintenance(END + HOUR)

        self.assertEqual(steps, 2)
        self.assertEqual([one.tell_at for one in self.reread().updates.all()], [MONDAY, None, END + HOUR])

    def test_it_says_steps_in_every_language(self):
        make_page()

        maintenance.step_maintenance(START)

        update = self.reread().updates.last()
        self.assertEqual(update.message, "The maintenance has begun.")
        self.assertIn("message", update.translations["de"])

    def test_it_moves(self):
        maintenance.move(self.row, by=self.by, starts_at=START + HOUR, ends_at=END + HOUR, at=MONDAY)

        row = self.reread()
        self.assertEqual((row.starts_at, row.ends_at, row.next_step_at), (START + HOUR, END + HOUR, START + HOUR))
        self.assertEqual(row.updates.last().message, "The maintenance was moved to another time.")

    def test_it_moves_only_the_end_once_it_has_begun(self):
        maintenance.step_maintenance(START)

        with self.assertRaises(Conflict):
            maintenance.move(self.row, by=self.by, starts_at=START + HOUR, at=START)

        maintenance.move(self.row, by=self.by, ends_at=END + HOUR, message="It takes longer.", at=START)

        self.assertEqual(self.reread().next_step_at, END + HOUR)

    def test_it_refuses_times_that_make_no_sense(self):
        for wrong in ({"ends_at": START}, {"ends_at": MONDAY, "starts_at": MONDAY - HOUR}):
            with self.subTest(wrong), self.assertRaises(DomainError):
                self.planned(**wrong)

    def test_it_begins_early_and_completes_early(self):
        publishing.add_update(self.row, by=self.by, message="We begin.", state="in_progress", at=MONDAY)
        self.assertEqual(self.reread().next_step_at, END)

        publishing.add_update(self.row, by=self.by, message="Done.", state="completed", at=START)

        row = self.reread()
        self.assertEqual((row.ended_at, row.next_step_at), (START, None))
        self.assertEqual(list(row.spans.values_list("began_at", "ended_at")), [(MONDAY, START)])

    def test_it_does_not_go_back(self):
        publishing.add_update(self.row, by=self.by, message="Done.", state="completed", at=START)

        for wrong in ("scheduled", "in_progress"):
            with self.subTest(wrong), self.assertRaises(InvalidTransition) as refused:
                publishing.add_update(self.row, by=self.by, message="x", state=wrong)
            self.assertEqual(refused.exception.extra["allowed"], ["completed"])
        with self.assertRaises(Conflict):
            maintenance.move(self.row, by=self.by, ends_at=END + HOUR)

    def test_it_says_on_the_timeline_that_it_began(self):
        incident = make_incident()
        self.row = self.planned(by=make_admin(), incident=incident)

        maintenance.step_maintenance(START)

        self.assertEqual(incident.events.filter(kind="status_updated").count(), 1)
