from django.test import TestCase

from core.errors import Conflict, DomainError, PermissionRefused
from incidents.models import Visibility
from incidents.tests.factories import kinds_of, make_incident, make_team
from reviews.services.editing import delete_review, edit_review
from reviews.services.publishing import edition, publish_edition, withdraw_edition
from reviews.tests.factories import make_review
from status_page.models import PublicIncident, StatusPage
from status_page.services.publishing import publish
from users.tests.factories import make_admin, make_responder

TEXTS = {
    "public_title": "What happened",
    "public_text": "A certificate expired.",
    "public_translations": {"de": {"title": "Was geschah", "text": "Ein Zertifikat lief ab."}},
}


class PublishEditionTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        StatusPage.objects.update_or_create(pk=1, defaults={"languages": ["en", "de"]})
        self.incident = make_incident()
        self.review = make_review(self.incident, by=self.admin)

    def announce(self) -> PublicIncident:
        return publish(
            by=self.admin,
            title="Shop down",
            message="We look.",
            impact="major_outage",
            components=[],
            incident=self.incident,
        )

    def test_it_leaves_no_earlier_edition_with_an_older_announcement(self) -> None:
        older = self.announce()
        edit_review(self.review, by=self.admin, changes=TEXTS)
        publish_edition(self.review, by=self.admin)
        newer = self.announce()

        publish_edition(self.review, by=self.admin)

        older.refresh_from_db()
        newer.refresh_from_db()
        self.assertEqual((older.review, older.review_published_at), ("", None))
        self.assertIn("certificate", newer.review)

    def test_it_publishes_and_withdraws_the_public_edition_alone(self) -> None:
        announced = self.announce()
        edit_review(self.review, by=self.admin, changes={"summary": "Secret", **TEXTS})

        published = publish_edition(self.review, by=self.admin)

        announced.refresh_from_db()
        self.assertEqual(announced.review, "## What happened\n\nA certificate expired.")
        self.assertEqual(announced.translations["de"]["review"], "## Was geschah\n\nEin Zertifikat lief ab.")
        self.assertIsNotNone(published.published_at)
        with self.assertRaises(Conflict):
            delete_review(self.review, by=self.admin)

        withdrawn = withdraw_edition(self.review, by=self.admin)

        announced.refresh_from_db()
        self.assertEqual((announced.review, withdrawn.published_at), ("", None))
        self.assertEqual(kinds_of(self.incident)[-2:], ["review_published", "review_withdrawn"])
        self.assertEqual(self.incident.events.get(kind="review_published").visibility, Visibility.INTERNAL)
        with self.assertRaises(Conflict):
            withdraw_edition(self.review, by=self.admin)

    def test_it_needs_a_text_an_announcement_and_the_right(self) -> None:
        with self.assertRaises(DomainError):
            publish_edition(self.review, by=self.admin)
        edit_review(self.review, by=self.admin, changes=TEXTS)
        with self.assertRaises(Conflict) as refused:
            publish_edition(self.review, by=self.admin)
        self.assertEqual(refused.exception.code, "not_announced")
        others = make_incident(by=self.admin, team=make_team("Other"))
        with self.assertRaises(PermissionRefused):
            publish_edition(make_review(others, by=self.admin), by=make_responder())

    def test_it_shows_a_text_without_a_title(self) -> None:
        self.assertEqual(edition("", "Text"), "Text")
