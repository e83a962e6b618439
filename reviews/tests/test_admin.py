from typing import Any

from django.test import TestCase
from django.urls import reverse

from incidents.tests.factories import make_incident
from reviews.models import ActionItem, Factor, Moment, Participant, Review, ReviewRule
from reviews.services.editing import edit_review
from reviews.services.publishing import publish_edition
from reviews.tests.factories import complete, make_item, make_review
from status_page.tests.factories import make_public_incident
from users.tests.factories import make_admin, make_responder


def address(model: str, page: str = "changelist", *arguments: Any) -> str:
    return reverse(f"admin:reviews_{model}_{page}", args=arguments)


class ReviewAdminTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.client.force_login(self.admin)
        self.incident = make_incident()

    def fields(self, review: Review, **values: Any) -> dict[str, Any]:
        shown = {"title": review.title, "state": review.state, "owner": review.owner_id, "due_at_0": "", "due_at_1": ""}
        texts = {"summary": review.summary, "impact": review.impact, "surprises": "", "went_well": ""}
        public = {"went_badly": "", "themes": "", "public_title": "", "public_text": "", "public_translations": ""}
        return {**shown, **texts, **public, **values}

    def test_it_drafts(self) -> None:
        answer = self.client.post(address("review", "add"), {"incident": self.incident.pk, "owner": ""})

        review = Review.objects.get()
        self.assertEqual(answer.status_code, 302, answer.context and answer.context["errors"])
        self.assertEqual((review.owner, review.moments.count()), (self.admin, 1))

    def test_it_deletes_what_may_go_of_those_ticked_and_says_what_may_not(self) -> None:
        make_public_incident(by=self.admin, incident=self.incident)
        published, other = make_review(self.incident, by=self.admin), make_review(by=self.admin)
        edit_review(published, by=self.admin, changes={"public_text": "A certificate expired."})
        publish_edition(published, by=self.admin)
        sent = {"action": "delete_selected", "_selected_action": [published.pk, other.pk], "post": "yes"}

        answer = self.client.post(address("review"), sent, follow=True)

        self.assertEqual(Review.objects.get(), published)
        self.assertContains(answer, "withdraw that first")

    def test_it_edits_and_moves(self) -> None:
        review = make_review(self.incident, by=self.admin)
        url = address("review", "change", review.pk)

        answer = self.client.post(url, self.fields(review, summary="It broke.", themes="one\ntwo", state="in_review"))

        review.refresh_from_db()
        self.assertEqual(answer.status_code, 302, answer.context and answer.context["errors"])
        self.assertEqual((review.summary, review.themes, review.state), ("It broke.", ["one", "two"], "in_review"))
        refused = self.client.post(url, self.fields(review, state="completed"))
        self.assertContains(refused, "Name at least one contributing factor.")

    def test_it_deletes_through_the_service(self) -> None:
        review = make_review(self.incident, by=self.admin)

        self.client.post(address("review", "delete", review.pk), {"post": "yes"})

        self.assertFalse(Review.objects.exists())

    def test_it_adds_edits_and_removes_what_a_review_is_made_of(self) -> None:
        review = make_review(self.incident, by=self.admin)
        person = make_responder()
        at = {"at_0": "2026-03-02", "at_1": "10:00:00"}
        table: dict[Any, tuple[dict[str, Any], dict[str, Any]]] = {
            Moment: ({**at, "text": "One"}, {**at, "text": "Two"}),
            Factor: ({"position": 1, "text": "One"}, {"position": 1, "text": "Two"}),
            Participant: ({"user": person.pk, "part": "reviewer", "notes": ""}, {"part": "reviewer", "notes": "Two"}),
            ActionItem: (
                {"title": "One", "description": "", "owner": person.pk, "due_on": "2027-01-01", "url": ""},
                {"title": "Two", "description": "", "owner": "", "due_on": "", "url": "", "state": "open"},
            ),
        }

        for model, (first, second) in table.items():
            with self.subTest(model.__name__):
                name = model._meta.model_name
                before = model.objects.count()
                added = self.client.post(address(name, "add"), {"review": review.pk, **first})
                self.assertEqual(added.status_code, 302, added.context and added.context["errors"])
                row = model.objects.latest("pk")
                changed = self.client.post(address(name, "change", row.pk), second)
                self.assertEqual(changed.status_code, 302, changed.context and changed.context["errors"])
                row.refresh_from_db()
                self.assertIn("Two", (getattr(row, "text", ""), getattr(row, "notes", ""), getattr(row, "title", "")))
                self.client.post(address(name, "delete", row.pk), {"post": "yes"})
                self.assertEqual(model.objects.count(), before)

    def test_it_refuses_to_change_a_completed_review(self) -> None:
        review = complete(make_review(self.incident, by=self.admin))
        factor = review.factors.get()

        answer = self.client.post(address("factor", "change", factor.pk), {"position": 0, "text": "Another"})

        self.assertContains(answer, "The review is completed")

    def test_responders_see_those_of_incidents_that_they_see(self) -> None:
        seen = make_review(make_incident(title="Shop down"), by=self.admin)
        hidden = make_review(make_incident(by=self.admin, title="Hush", is_restricted=True), by=self.admin)
        item = make_item(hidden, by=self.admin, title="Secret")
        self.client.force_login(make_responder())

        self.assertContains(self.client.get(address("review")), seen.title)
        self.assertNotContains(self.client.get(address("review")), "Hush")
        self.assertNotContains(self.client.get(address("actionitem")), "Secret")
        self.assertNotEqual(self.client.get(address("actionitem", "change", item.pk)).status_code, 200)

    def test_it_makes_rules(self) -> None:
        form = {"name": "Criticals", "min_severity": 4, "team": "", "within_days": 3, "is_enabled": "on"}

        answer = self.client.post(address("reviewrule", "add"), form)

        self.assertEqual(answer.status_code, 302, answer.context and answer.context["errors"])
        self.assertEqual(ReviewRule.objects.get().within_days, 3)
