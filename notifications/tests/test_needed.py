from unittest import mock

from incidents.services import acknowledge
from notifications.models import Delivery
from notifications.tests.factories import make_method, make_page, seconds
from notifications.tests.test_bundling import EngineCase
from notifications.vocabulary import State
from paging.models import EscalationRun
from tests.reported import reported_failure


class PausedTests(EngineCase):
    def setUp(self):
        super().setUp()
        make_method(self.ana)
        self.moment += seconds(20)  # pages are due by the real clock
        self.silenced: set[int] = set()
        pauses = [lambda numbers, at: {number: "silenced" for number in numbers if number in self.silenced}]
        self.enterContext(mock.patch("paging.pages._pauses", pauses))

    def page_of_step(self, is_silenced=True):
        page = self.page()
        page.run = EscalationRun.objects.create(
            incident=page.incident, open_key=page.incident_id, started_at=self.moment
        )
        page.save(update_fields=["run"])
        if is_silenced:
            self.silenced.add(page.incident_id)
        return page

    @reported_failure(16)
    def test_it_holds_a_page_of_a_silenced_incident_and_sends_it_when_the_silence_ends(self):
        self.page_of_step()

        self.assertEqual([self.run_at(self.moment + seconds(minutes * 60)) for minutes in (0, 100)], [0, 0])
        held = Delivery.objects.get()
        self.silenced.clear()
        sent = self.run_at(self.moment + seconds(102 * 60))

        self.assertEqual((held.state, held.held_because), (State.HELD, "Paging is paused: silenced"))
        self.assertEqual((held.attempt_count, sent, len(self.script.sent)), (0, 1, 1))

    @reported_failure(16)
    def test_it_sends_no_held_page_of_an_incident_that_was_acknowledged_meanwhile(self):
        page = self.page_of_step()
        self.run_at(self.moment)
        acknowledge(page.incident, by=self.ana)
        self.silenced.clear()

        self.assertEqual(self.run_at(self.moment + seconds(120)), 0)
        self.assertEqual(self.states(), [State.CANCELLED])

    def test_it_holds_no_page_by_hand(self):
        page = self.page()
        self.silenced.add(page.incident_id)

        self.assertEqual(self.run_at(self.moment), 1)

    @reported_failure(16)
    def test_it_carries_no_silenced_page_with_others(self):
        self.page()
        self.run_at(self.moment)
        one, silenced = self.page_of_step(is_silenced=False), self.page_of_step(is_silenced=False)
        self.run_at(self.moment + seconds(1))  # held, for the next message
        self.silenced.add(silenced.incident_id)

        self.run_at(self.moment + seconds(300))

        states = dict(Delivery.objects.values_list("page_id", "state"))
        self.assertEqual((states[one.pk], states[silenced.pk]), (State.ACCEPTED, State.HELD))
        self.assertNotIn(silenced.incident.reference, str(self.script.messages[-1]))

    def test_it_lets_go_on_what_a_held_page_carried(self):
        lead, other = self.page_of_step(), make_page(self.ana)
        rows = {row.page_id: row for row in Delivery.objects.all()}
        Delivery.objects.filter(pk=rows[lead.pk].pk).update(bundle_count=1)
        Delivery.objects.filter(pk=rows[other.pk].pk).update(bundle=rows[lead.pk], next_attempt_at=None)

        self.run_at(self.moment)
        self.run_at(self.moment + seconds(1))

        states = dict(Delivery.objects.values_list("page_id", "state"))
        self.assertEqual((states[lead.pk], states[other.pk]), (State.HELD, State.ACCEPTED))
