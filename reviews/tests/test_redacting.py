from auditlog.models import LogEntry
from django.test import TestCase

from incidents.services import comment, delete, purge, redact
from incidents.tests.factories import make_incident
from reviews.models import Moment, Review
from reviews.services.editing import add_factor, edit_review
from reviews.services.publishing import publish_edition
from reviews.tests.factories import make_item, make_review
from status_page.models import StatusPage
from status_page.services.page import the_page
from status_page.tests.factories import make_public_incident
from users.tests.factories import make_admin

SECRET = "hunter2 is the password"


class RedactingTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.incident = make_incident()

    def test_it_removes_a_leaked_text_from_what_copied_it(self) -> None:
        leak = comment(self.incident, SECRET, by=self.admin)
        review = make_review(self.incident, by=self.admin)
        edit_review(review, by=self.admin, changes={"summary": f"Somebody wrote {SECRET}."})
        add_factor(review, by=self.admin, text=SECRET)
        make_item(review, title=f"Change it: {SECRET}")

        redact(leak, by=self.admin)

        stored = Review.objects.get()
        self.assertEqual(stored.summary, "Somebody wrote [removed].")
        texts = [
            *stored.moments.values_list("text", flat=True),
            *stored.factors.values_list("text", flat=True),
            *stored.action_items.values_list("title", flat=True),
        ]
        self.assertNotIn("hunter2", " ".join(texts))
        self.assertIn("[removed]", Moment.objects.get(event=leak).text)

    def test_it_removes_a_leaked_text_from_the_public_edition_and_its_translations(self) -> None:
        leak = comment(self.incident, SECRET, by=self.admin)
        StatusPage.objects.update_or_create(pk=1, defaults={"languages": ["en", "de"]})
        announced = make_public_incident(by=self.admin, incident=self.incident)
        review = make_review(self.incident, by=self.admin)
        translated = {"de": {"text": f"Wir schrieben: {SECRET}."}}
        texts = {"public_text": f"We wrote {SECRET}.", "public_translations": translated, "themes": [SECRET]}
        publish_edition(edit_review(review, by=self.admin, changes=texts), by=self.admin)
        before = the_page().revision

        redact(leak, by=self.admin)

        announced.refresh_from_db()
        stored = Review.objects.get()
        self.assertEqual(announced.review, "We wrote [removed].")
        self.assertEqual(announced.translations["de"]["review"], "Wir schrieben: [removed].")
        self.assertEqual(stored.public_translations["de"]["text"], "Wir schrieben: [removed].")
        self.assertEqual(stored.themes, ["[removed]"])
        self.assertFalse([entry for entry in LogEntry.objects.all() if "hunter2" in str(entry.changes)])
        self.assertGreater(the_page().revision, before)

    def test_it_removes_the_beginning_of_a_very_long_one(self) -> None:
        leak = comment(self.incident, SECRET + "x" * 10_000, by=self.admin)
        make_review(self.incident, by=self.admin)

        redact(leak, by=self.admin)

        self.assertNotIn("hunter2", Moment.objects.get(event=leak).text)

    def test_it_leaves_words_that_only_contain_a_short_one(self) -> None:
        leak = comment(self.incident, "ok", by=self.admin)
        review = make_review(self.incident, by=self.admin)
        edit_review(review, by=self.admin, changes={"summary": "The token was ok."})

        redact(leak, by=self.admin)

        self.assertEqual(Review.objects.get().summary, "The token was [removed].")

    def test_a_purged_incident_takes_its_review_with_it(self) -> None:
        make_item(make_review(self.incident, by=self.admin))
        delete(self.incident, by=self.admin)

        purge(self.incident, by=self.admin)

        self.assertFalse(Review.objects.exists())
