import datetime as dt
import re

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incidents import services
from incidents.models import Incident, IncidentEvent
from incidents.tests.factories import make_incident, make_team
from reviews.models import Factor, Moment, Participant, Review
from reviews.services import editing
from reviews.tests.factories import complete, make_item, make_review, make_rule
from reviews.vocabulary import Part
from status_page.models import PublicIncident, StatusPage
from status_page.services.publishing import publish
from users.tests.factories import make_admin, make_reporter, make_responder

SEEN = re.compile(r'name="seen" value="(\w+)"')


class ReviewPageCase(TestCase):
    def setUp(self) -> None:
        self.admin, self.ben, self.other = make_admin(), make_responder(name="Ben"), make_responder(name="Otto")
        self.team = make_team("Plumbing", self.ben)
        self.incident = make_incident(by=self.admin, team=self.team, title="Water in the cellar")
        services.comment(self.incident, "The pump **stands**.", by=self.ben, visibility="internal")
        services.transition(self.incident, "resolved", by=self.ben)
        self.incident = Incident.objects.get(pk=self.incident.pk)
        self.review = make_review(self.incident, by=self.ben, owner=self.ben)
        self.client.force_login(self.ben)

    def url(self, name: str = "", **kwargs: object) -> str:
        return reverse(f"console:review{name}", kwargs={"pk": self.review.pk, **kwargs})

    def edit(self, section: str, **data: object) -> object:
        return self.client.post(self.url("-edit", section=section), data)

    def current(self) -> Review:
        self.review.refresh_from_db()
        return self.review


class AccessTests(ReviewPageCase):
    def test_it_lets_other_teams_read_and_not_edit(self) -> None:
        factor = editing.add_factor(self.review, by=self.ben, text="No alarm.")
        self.client.force_login(self.other)

        page = self.client.get(self.url())

        self.assertContains(page, "Water in the cellar")
        self.assertNotContains(page, self.url("-edit", section="summary"))
        self.assertNotContains(page, "Send to review")
        for address in (
            self.url("-edit", section="summary"),
            self.url("-moment-add"),
            self.url("-factor", number=factor.pk),
            self.url("-timeline"),
            reverse("console:action-item-add", args=[self.review.pk]),
        ):
            with self.subTest(address):
                self.assertEqual(self.client.get(address).status_code, 403)
                self.assertEqual(self.client.post(address, {"text": "x"}).status_code, 403)
        for address in (self.url("-move", state="in_review"), self.url("-publish"), self.url("-delete")):
            with self.subTest(address):
                self.assertEqual(self.client.post(address).status_code, 403)

    def test_it_hides_what_is_restricted(self) -> None:
        services.update(self.incident, by=self.admin, fields={"is_restricted": True}, grants_access=True)
        self.client.force_login(self.other)

        for address in (self.url(), self.url("-edit", section="summary"), self.url("-timeline")):
            with self.subTest(address):
                self.assertEqual(self.client.get(address).status_code, 404)
        self.assertNotContains(self.client.get(reverse("console:reviews") + "?state=draft"), "cellar")

    def test_it_turns_reporters_away(self) -> None:
        self.client.force_login(make_reporter())

        for address in (self.url(), reverse("console:reviews"), reverse("console:action-items")):
            with self.subTest(address):
                self.assertEqual(self.client.get(address).status_code, 403)
        start = reverse("console:review-start", args=[self.incident.reference])
        self.assertEqual(self.client.post(start).status_code, 403)

    def test_it_knows_no_others(self) -> None:
        for number in (self.review.pk + 99, 2**63):
            with self.subTest(number):
                self.assertEqual(self.client.get(f"/reviews/{number}/").status_code, 404)
        self.assertEqual(self.client.get(self.url("-edit", section="nonsense")).status_code, 404)
        self.assertEqual(self.client.post(self.url("-move", state="nonsense")).status_code, 404)


class ReadingTests(ReviewPageCase):
    def test_it_links_moments_to_the_timeline(self) -> None:
        event = IncidentEvent.objects.get(incident=self.incident, kind="comment")

        page = self.client.get(self.url())

        self.assertContains(page, f"?before={event.seq + 1}#event-{event.seq}")
        self.assertContains(page, "<strong>stands</strong>")

    def test_it_costs_the_same_for_any_number_of_parts(self) -> None:
        def cost() -> int:
            self.client.get(self.url())
            with CaptureQueriesContext(connection) as spent:
                self.assertEqual(self.client.get(self.url()).status_code, 200)
            return len(spent)

        make_item(self.review, by=self.ben, owner=self.ben)
        editing.add_factor(self.review, by=self.ben, text="One")
        first = cost()
        for number in range(10):
            make_item(self.review, by=self.ben, owner=self.other, due_on=dt.date(2026, 3, 1))
            editing.add_factor(self.review, by=self.ben, text=f"Factor {number}")
            editing.add_moment(self.review, by=self.ben, at=timezone.now(), text="More")

        self.assertEqual(cost(), first)

    def test_it_offers_the_states_of_action_items(self) -> None:
        make_item(self.review, by=self.ben)

        page = self.client.get(self.url())

        self.assertContains(page, '<option value="in_progress">In progress</option>', html=True)

    def test_it_shows_the_card_on_the_incident(self) -> None:
        make_item(self.review, by=self.ben)
        bare = make_incident(by=self.admin, team=self.team)

        page = self.client.get(f"/incidents/{self.incident.reference}/")
        offered = self.client.get(f"/incidents/{bare.reference}/")

        self.assertContains(page, self.url())
        self.assertContains(page, "1 open action item")
        self.assertContains(offered, reverse("console:review-start", args=[bare.reference]))
        self.client.force_login(self.other)
        self.assertNotContains(self.client.get(f"/incidents/{bare.reference}/"), "Start a review")


class StartTests(ReviewPageCase):
    def test_it_starts_once(self) -> None:
        bare = make_incident(by=self.admin, team=self.team)
        start = reverse("console:review-start", args=[bare.reference])

        first, second = self.client.post(start), self.client.post(start)

        made = Review.objects.get(incident=bare)
        self.assertEqual(first["Location"], f"/reviews/{made.pk}/")
        self.assertEqual(second["Location"], first["Location"])
        self.assertEqual(made.owner, self.ben)

    def test_it_refuses_other_teams(self) -> None:
        bare = make_incident(by=self.admin, team=self.team)
        self.client.force_login(self.other)

        answer = self.client.post(reverse("console:review-start", args=[bare.reference]))

        self.assertEqual((answer.status_code, Review.objects.filter(incident=bare).exists()), (403, False))


class SectionTests(ReviewPageCase):
    def test_it_saves_each_text(self) -> None:
        for name in ("summary", "impact", "surprises", "went_well", "went_badly"):
            with self.subTest(name):
                answer = self.edit(name, text=f"About {name}")

                self.assertRedirects(answer, self.url() + f"#{name}", fetch_redirect_response=False)
                self.assertEqual(getattr(self.current(), name), f"About {name}")

    def test_it_saves_head_and_themes(self) -> None:
        self.edit("head", title="Flood", owner=self.other.pk, due_at="2026-12-24T10:00:00")
        self.edit("themes", themes="handover, capacity")

        review = self.current()
        self.assertEqual((review.title, review.owner, review.themes), ("Flood", self.other, ["handover", "capacity"]))
        self.assertEqual(review.due_at, dt.datetime(2026, 12, 24, 10, tzinfo=dt.UTC))

    def test_it_leaves_a_rules_due_date_to_administrators(self) -> None:
        due = timezone.now().replace(microsecond=0)
        Review.objects.filter(pk=self.review.pk).update(rule=make_rule(), due_at=due)

        self.edit("head", title="Flood", owner="", due_at="2030-01-01T00:00:00")

        review = self.current()
        self.assertEqual((review.title, review.due_at, review.owner), ("Flood", due, None))

    def test_it_previews_and_saves_nothing(self) -> None:
        answer = self.edit("summary", text="It was *wet*.", preview="1")

        self.assertContains(answer, "<em>wet</em>")
        self.assertContains(answer, "It was *wet*.</textarea>")
        self.assertEqual(self.current().summary, "")

    def test_it_keeps_what_was_typed_where_somebody_was_faster(self) -> None:
        seen = SEEN.search(self.client.get(self.url("-edit", section="summary")).content.decode())[1]
        editing.edit_review(self.review, by=self.admin, changes={"summary": "Theirs"})

        refused = self.edit("summary", text="Mine", seen=seen)

        self.assertContains(refused, "Somebody changed this", status_code=422)
        self.assertContains(refused, "Theirs", status_code=422)
        self.assertContains(refused, "Mine</textarea>", status_code=422)
        self.assertEqual(self.current().summary, "Theirs")
        again = SEEN.search(refused.content.decode())[1]
        self.edit("summary", text="Mine", seen=again)
        self.assertEqual(self.current().summary, "Mine")

    def test_it_tells_of_changes_in_the_preview_too(self) -> None:
        seen = SEEN.search(self.client.get(self.url("-edit", section="summary")).content.decode())[1]
        editing.edit_review(self.review, by=self.admin, changes={"summary": "Theirs"})

        answer = self.edit("summary", text="Mine", seen=seen, preview="1")

        self.assertContains(answer, "Somebody changed this")
        self.assertContains(answer, "Theirs")

    def test_it_lets_others_change_other_sections(self) -> None:
        seen = SEEN.search(self.client.get(self.url("-edit", section="summary")).content.decode())[1]
        editing.edit_review(self.review, by=self.admin, changes={"impact": "Wet feet"})

        self.edit("summary", text="Mine", seen=seen)

        self.assertEqual((self.current().summary, self.current().impact), ("Mine", "Wet feet"))

    def test_it_leaves_completed_ones_alone(self) -> None:
        complete(self.review, by=self.admin)

        self.assertEqual(self.client.get(self.url("-edit", section="impact")).status_code, 409)
        self.assertEqual(self.client.get(self.url("-edit", section="public")).status_code, 200)
        self.assertNotContains(self.client.get(self.url()), self.url("-edit", section="impact"))


class PartTests(ReviewPageCase):
    def test_it_adds_changes_and_removes_moments(self) -> None:
        self.client.post(self.url("-moment-add"), {"at": "2026-03-02T10:00:00", "text": "The first drop."})

        moment = Moment.objects.get(review=self.review, text="The first drop.")
        self.assertEqual(moment.at, dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC))
        one = self.url("-moment", number=moment.pk)
        self.assertContains(self.client.get(one), "The first drop.")
        self.client.post(one, {"at": "2026-03-02T10:00:00", "text": "The second drop."})
        moment.refresh_from_db()
        self.assertEqual(moment.text, "The second drop.")
        self.client.post(self.url("-moment-remove", number=moment.pk))
        self.assertFalse(Moment.objects.filter(pk=moment.pk).exists())
        self.assertEqual(self.client.get(one).status_code, 404)

    def test_it_keeps_the_time_of_a_moment_whose_text_changes(self) -> None:
        moment = Moment.objects.filter(review=self.review).exclude(event=None).first()
        at = moment.at

        self.client.post(self.url("-moment", number=moment.pk), {"at": f"{at:%Y-%m-%dT%H:%M:%S}", "text": "Told anew."})

        moment.refresh_from_db()
        self.assertEqual((moment.text, moment.at), ("Told anew.", at))

    def test_it_keeps_an_hour_that_the_clocks_show_twice(self) -> None:
        self.ben.time_zone = "Europe/Berlin"
        self.ben.save(update_fields=["time_zone"])
        twice = dt.datetime(2025, 10, 26, 1, 30, tzinfo=dt.UTC)
        moment = editing.add_moment(self.review, by=self.admin, at=twice, text="In the night")
        one = self.url("-moment", number=moment.pk)
        self.assertContains(self.client.get(one), "2025-10-26T02:30:00")

        self.client.post(one, {"at": "2025-10-26T02:30:00", "text": "Late in the night"})

        moment.refresh_from_db()
        self.assertEqual((moment.at, moment.text), (twice, "Late in the night"))

    def test_it_says_what_is_wrong_with_a_moment(self) -> None:
        later = timezone.now() + dt.timedelta(days=2)
        for data in ({"at": "", "text": "x"}, {"at": f"{later:%Y-%m-%dT%H:%M:%S}", "text": "x"}):
            with self.subTest(data):
                answer = self.client.post(self.url("-moment-add"), data)

                self.assertEqual((answer.status_code, set(answer.context["form"].errors)), (422, {"at"}))

    def test_it_adds_and_orders_factors(self) -> None:
        for text in ("One", "Two"):
            self.client.post(self.url("-factor-add"), {"text": text})
        two = Factor.objects.get(text="Two")

        self.client.post(self.url("-factor-move", number=two.pk), {"up": ""})

        texts = list(Factor.objects.filter(review=self.review).values_list("text", flat=True))
        self.assertEqual(texts, ["Two", "One"])
        self.client.post(self.url("-factor", number=two.pk), {"text": "Too"})
        two.refresh_from_db()
        self.assertEqual(two.text, "Too")

    def test_it_adds_participants_with_notes(self) -> None:
        self.client.post(
            self.url("-participant-add"), {"user": self.other.pk, "part": "interviewed", "notes": "Heard *it*."}
        )
        twice = self.client.post(self.url("-participant-add"), {"user": self.other.pk, "part": "interviewed"})

        self.assertContains(self.client.get(self.url()), "Heard <em>it</em>.")
        self.assertEqual(twice.status_code, 422)
        nobody = self.client.post(self.url("-participant-add"), {"user": "", "part": "involved"})
        self.assertEqual(nobody.status_code, 422)
        made = self.review.participants.get(user=self.other)
        self.client.post(self.url("-participant", number=made.pk), {"part": "reviewer", "notes": ""})
        made.refresh_from_db()
        self.assertEqual((made.part, made.notes, made.user), ("reviewer", "", self.other))

    def test_it_takes_moments_from_the_timeline(self) -> None:
        Moment.objects.filter(review=self.review).delete()
        events = list(IncidentEvent.objects.filter(incident=self.incident).order_by("seq")[:2])

        self.client.post(self.url("-timeline"), {"event": [event.pk for event in events]})

        self.assertEqual(
            set(Moment.objects.filter(review=self.review).values_list("event", flat=True)),
            {event.pk for event in events},
        )
        page = self.client.get(self.url("-timeline"))
        self.assertContains(page, "in the review already", 2)
        self.assertEqual(self.client.post(self.url("-timeline"), {"event": ["x"]}).status_code, 400)

    def test_it_pages_the_timeline(self) -> None:
        for number in range(60):
            services.comment(self.incident, f"Note {number}", by=self.ben)

        page = self.client.get(self.url("-timeline") + "?show=people")

        older = page.context["entries"].older
        self.assertContains(page, f"?show=people&amp;before={older}")
        self.assertContains(self.client.get(self.url("-timeline") + f"?show=people&before={older}"), "Note 1")


class MovingTests(ReviewPageCase):
    def test_it_says_whether_reviewers_were_told(self) -> None:
        alone = self.client.post(self.url("-move", state="in_review"), follow=True)
        self.client.post(self.url("-move", state="draft"))
        Participant.objects.create(review=self.review, user=self.ben, part=Part.REVIEWER)

        told = self.client.post(self.url("-move", state="in_review"), follow=True)

        self.assertContains(alone, "Nobody is listed as a reviewer yet")
        self.assertContains(told, "Its reviewers were told.")

    def test_it_names_and_links_what_is_missing(self) -> None:
        item = make_item(self.review, by=self.ben, title="Buy a pump")
        self.client.post(self.url("-move", state="in_review"))

        refused = self.client.post(self.url("-move", state="completed"))

        self.assertContains(refused, "cannot be completed yet", status_code=409)
        self.assertContains(refused, self.url("-edit", section="summary"), status_code=409)
        self.assertContains(refused, self.url("-factor-add"), status_code=409)
        address = reverse("console:action-item", args=[item.pk])
        self.assertContains(refused, f"{address}#id_owner", status_code=409)
        self.assertContains(refused, f"{address}#id_due_on", status_code=409)

    def test_it_completes_and_reopens(self) -> None:
        self.edit("summary", text="Wet.")
        self.client.post(self.url("-factor-add"), {"text": "A pipe."})

        states = []
        for state in ("in_review", "completed", "draft"):
            self.assertEqual(self.client.post(self.url("-move", state=state)).status_code, 302)
            states.append(self.current().state)

        self.assertEqual(states, ["in_review", "completed", "draft"])

    def test_it_deletes_for_administrators(self) -> None:
        self.assertEqual(self.client.get(self.url("-delete")).status_code, 403)
        self.client.force_login(self.admin)
        self.assertContains(self.client.get(self.url("-delete")), "cannot be undone")

        self.client.post(self.url("-delete"))

        self.assertFalse(Review.objects.exists())


class ExportTests(ReviewPageCase):
    def test_it_sends_files(self) -> None:
        for name, begins, ending in (("-markdown", b"# ", "md"), ("-pdf", b"%PDF-", "pdf")):
            with self.subTest(name):
                answer = self.client.get(self.url(name))

                self.assertTrue(answer.content.startswith(begins))
                self.assertIn(f'filename="{self.incident.reference}-review.{ending}"', answer["Content-Disposition"])

    def test_it_sends_nothing_of_what_is_restricted(self) -> None:
        services.update(self.incident, by=self.admin, fields={"is_restricted": True}, grants_access=True)
        self.client.force_login(self.other)

        for name in ("-markdown", "-pdf"):
            with self.subTest(name):
                self.assertEqual(self.client.get(self.url(name)).status_code, 404)


class PublicTests(ReviewPageCase):
    def setUp(self) -> None:
        super().setUp()
        StatusPage.objects.update_or_create(pk=1, defaults={"languages": ["en", "de"]})

    def test_it_says_that_there_is_no_announcement(self) -> None:
        self.edit("public", public_title="Flood", public_text="It was wet.")

        page = self.client.get(self.url())

        self.assertContains(page, "publish the incident on the status page first")
        self.assertEqual(self.client.post(self.url("-publish")).status_code, 409)

    def test_it_writes_both_languages_and_publishes(self) -> None:
        publish(by=self.ben, title="Flood", message="Wet", impact="degraded", components=[], incident=self.incident)
        self.edit("public", public_title="Flood", public_text="It was wet.", title_de="Flut", text_de="Es war nass.")
        self.assertEqual(self.current().public_translations, {"de": {"title": "Flut", "text": "Es war nass."}})
        self.assertContains(self.client.get(self.url()), "Es war nass.")

        self.client.post(self.url("-publish"))

        announced = PublicIncident.objects.get(incident=self.incident)
        self.assertIn("It was wet.", announced.review)
        self.client.post(self.url("-withdraw"))
        announced.refresh_from_db()
        self.assertEqual((announced.review, self.current().published_at), ("", None))
