import datetime as dt

from django.test import TestCase
from django.utils import timezone

from status_page.models import StatusPage
from status_page.rendering import render
from status_page.services import publishing
from status_page.services.components import edit_component
from status_page.services.page import the_page
from status_page.services.snapshot import read_snapshot
from status_page.tests.factories import make_component, make_maintenance, make_page, make_public_incident
from status_page.vocabulary import Impact, State
from users.tests.factories import make_admin, make_responder


def read():
    return read_snapshot(the_page(), timezone.now())


class SnapshotTests(TestCase):
    def test_it_holds_what_is_on_the_page(self):
        make_page(name="Acme", translations={"de": {"name": "Acme DE"}}, time_zone="Europe/Zurich")
        website, hidden = make_component(group="Web", translations={"de": {"name": "Webseite"}}), make_component("Old")
        edit_component(hidden, by=make_admin(), changes={"is_active": False})
        incident = make_public_incident(components=[website], translations={"de": {"title": "Kasse", "message": "Weh"}})
        start = timezone.now() + dt.timedelta(days=1)
        make_maintenance(components=[website], starts_at=start, ends_at=start + dt.timedelta(hours=1))

        found = read()

        self.assertEqual(found.page.name.in_language("de"), "Acme DE")
        [group] = found.groups
        self.assertEqual((group.name.main, [one.name.main for one in group.components]), ("Web", ["Website"]))
        self.assertEqual(found.groups[0].components[0].status, Impact.MAJOR_OUTAGE)
        [shown] = found.incidents
        self.assertEqual((shown.uid, shown.title.in_language("de")), (incident.uid, "Kasse"))
        self.assertEqual(shown.updates[0].message.in_language("de"), "Weh")
        self.assertEqual(len(found.maintenance), 1)

    def test_it_leaves_out_languages_that_the_page_has_no_more(self):
        make_page()
        make_public_incident(translations={"de": {"title": "Kasse", "message": "Weh"}})
        make_page(languages=["en"])

        self.assertEqual(read().incidents[0].title.others, ())

    def test_it_has_the_newest_update_first(self):
        incident = make_public_incident()
        publishing.add_update(incident, by=make_responder(), message="Found", state=State.IDENTIFIED)

        self.assertEqual([one.state for one in read().incidents[0].updates], [State.IDENTIFIED, State.INVESTIGATING])

    def test_it_asks_as_often_for_much_as_for_little(self):
        make_public_incident(components=[make_component()])
        page = the_page()
        with self.assertNumQueries(7):
            read_snapshot(page, timezone.now())
        for number in range(5):
            closed = make_public_incident(components=[make_component(f"C{number}", group=f"G{number}")])
            publishing.add_update(closed, by=make_responder(), message="Done", state=State.RESOLVED)

        with self.assertNumQueries(7):
            read_snapshot(page, timezone.now())

    def test_it_can_be_rendered_when_nothing_is_there(self):
        self.assertEqual(StatusPage.objects.count(), 0)

        self.assertIn("index.html", render(read(), timezone.now()))
