from django.utils import timezone

from alerts.models import ChangeEvent
from alerts.tests.back_office import BackOfficeCase
from alerts.tests.factories import fire, make_source
from intake.models import IntakeEvent
from intake.services.queue import NO_ALERT
from intake.vocabulary import IntakeState


class IntakeTests(BackOfficeCase):
    def setUp(self) -> None:
        self.source = make_source(name="Shop")
        self.sign_in(self.admin)

    def event(self, **fields: object) -> IntakeEvent:
        given = {"source": self.source, "format": "generic", "state": IntakeState.FAILED, "body": b"{", **fields}
        return IntakeEvent.objects.create(**{"received_at": timezone.now(), "reason": "Torn off.", **given})

    def test_it_shows_what_failed_first(self) -> None:
        failed, done = self.event(), self.event(state=IntakeState.DONE)

        lists = {query: self.listed("intakeevent", query) for query in ("", "?state=done", "?state=any")}

        self.assertEqual(lists, {"": [failed], "?state=done": [done], "?state=any": [done, failed]})
        self.assertEqual(self.listed("intakeevent", f"?source={self.source.pk + 1}"), [])

    def test_it_reads_no_bodies_for_the_list(self) -> None:
        self.event(body=b"x" * 1000)

        read = [sql for sql in self.queries(self.list_of("intakeevent")) if "intakeevent" in sql.lower()]

        self.assertTrue(read)
        self.assertFalse([sql for sql in read if "body" in sql])

    def test_it_shows_a_body_that_cannot_harm(self) -> None:
        event = self.event(body=b'{"a": "<script>alert(1)</script>\\u202e", "b": [1]}', headers={"x": "<img>"})
        garbage = self.event(body=b"\x00\xff<b>")

        shown, torn = self.client.get(self.page(event)), self.client.get(self.page(garbage))

        self.assertContains(shown, "&lt;script&gt;")
        self.assertNotContains(shown, "<script>alert")
        self.assertNotContains(shown, "\u202e")
        self.assertContains(shown, "&lt;img&gt;")
        self.assertContains(torn, "\ufffd\ufffd&lt;b&gt;")

    def test_it_cuts_a_long_body(self) -> None:
        event = self.event(body=b"[" + b"1," * 100_000 + b"1]")

        answer = self.client.get(self.page(event))

        self.assertContains(answer, "truncated")
        self.assertLess(len(answer.content), 200_000)

    def test_it_hands_out_the_body_as_a_file(self) -> None:
        event = self.event(body=b"<html>")

        answer = self.client.get(self.page(event, "raw"))

        self.assertEqual(answer.content, b"<html>")
        self.assertEqual(answer["Content-Type"], "application/octet-stream")
        self.assertTrue(answer["Content-Disposition"].startswith("attachment"))

    def test_it_links_to_the_alerts_it_speaks_of(self) -> None:
        alert = fire(self.source, title="Disk full")

        answer = self.client.get(self.page(IntakeEvent.objects.get()))

        self.assertContains(answer, self.page(alert))
        self.assertContains(answer, alert.incident.reference)

    def test_it_replays_what_failed(self) -> None:
        failed, dropped, done = (
            self.event(state=state) for state in (IntakeState.FAILED, IntakeState.DROPPED, IntakeState.DONE)
        )
        ticked = {"action": "replay_selected", "_selected_action": [dropped.pk, done.pk]}

        one = self.client.post(self.page(failed, "replay"))
        many = self.client.post(f"{self.list_of('intakeevent')}?state=any", ticked)

        waiting = set(IntakeEvent.objects.waiting().values_list("pk", flat=True))
        self.assertEqual(waiting, {failed.pk, dropped.pk})
        self.assertIn("1 queued again", self.messages(one))
        self.assertIn("1 skipped", self.messages(many))

    def test_it_offers_to_work_off_again_what_held_no_alert(self) -> None:
        empty = self.event(state=IntakeState.IGNORED, reason=NO_ALERT)
        understood = self.event(state=IntakeState.IGNORED, reason="It ends what was not firing.", alert_count=1)

        offered = [">Replay</button>" in self.client.get(self.page(one)).text for one in (empty, understood)]

        self.assertEqual(offered, [True, False])

    def test_it_costs_the_same_at_any_number(self) -> None:
        urls = [self.list_of("intakeevent"), f"{self.list_of('intakeevent')}?state=any", self.list_of("changeevent")]
        self._grow(10)
        few = [len(self.queries(url)) for url in urls]
        self._grow(190)

        many = [self.queries(url) for url in urls]

        self.assertEqual([len(queries) for queries in many], few)
        self.assertFalse([sql for queries in many for sql in queries if "OFFSET" in sql])

    def _grow(self, number: int) -> None:
        now = timezone.now()
        for _ in range(number):
            self.event()
            ChangeEvent.objects.create(source=self.source, summary="Deploy", occurred_at=now, received_at=now)


class ChangeTests(BackOfficeCase):
    def test_it_shows_details_and_web_links_only(self) -> None:
        now = timezone.now()
        change = ChangeEvent.objects.create(
            summary="Deploy <b>4.18</b>",
            details={"commit": "<i>9f3</i>"},
            links=[{"href": "javascript:alert(1)", "text": "Bad"}, {"href": "https://ci.example/1", "text": "Run"}],
            occurred_at=now,
            received_at=now,
        )
        self.sign_in(self.admin)

        answer = self.client.get(self.page(change))

        self.assertContains(answer, "&lt;i&gt;9f3")
        self.assertContains(answer, 'href="https://ci.example/1" rel="noopener')
        self.assertNotContains(answer, "javascript:")
        self.assertNotContains(answer, "<b>4.18")
