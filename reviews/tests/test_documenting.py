import io

from django.test import TestCase
from pypdf import PdfReader

from incidents.services import resolve
from incidents.tests.factories import make_incident
from reviews.rendering import to_markdown
from reviews.services.documenting import document_of
from reviews.services.editing import add_factor, add_participant, edit_review
from reviews.tests.factories import make_item, make_review
from users.tests.factories import client_of, make_admin, make_responder


class DocumentTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin(name="Alice", time_zone="Europe/Zurich")
        self.incident = make_incident(by=self.admin, title="Shop <b>down</b>")
        resolve(self.incident, by=self.admin)
        self.review = make_review(self.incident, by=self.admin)
        texts = {"summary": "A certificate **expired**.", "surprises": "Nobody knew.", "public_text": "Sorry."}
        edit_review(self.review, by=self.admin, changes={**texts, "themes": ["certificates"]})
        add_factor(self.review, by=self.admin, text="No reminder.")
        add_participant(
            self.review, by=self.admin, user=make_responder(name="Ben"), part="interviewed", notes="I slept."
        )
        make_item(self.review, by=self.admin, title="Watch it", description="By a job.", owner=self.admin)
        self.review.refresh_from_db()

    def test_it_tells_all_but_the_public_edition(self) -> None:
        text = to_markdown(document_of(self.review, reader=self.admin))

        for said in (
            f"# INC-{self.incident.pk} Shop \\<b\\>down\\</b\\>",
            f"/incidents/{self.incident.reference}/",
            "A certificate **expired**.",
            "Alice resolved the incident.",
            "1. No reminder.",
            "| Watch it | Alice | none | Open |",
            "**Watch it**\n\nBy a job.",
            "| Ben | Interviewed |",
            "**Ben**\n\nI slept.",
            "- **Themes:** certificates",
        ):
            with self.subTest(said):
                self.assertIn(said, text)
        self.assertNotIn("Sorry.", text)
        self.assertNotIn("What went well", text)
        self.assertRegex(text, r"20\d\d-\d\d-\d\d \d\d:\d\d CES?T \(")

    def test_it_is_served_as_files(self) -> None:
        api = client_of(self.admin)

        markdown = api.get(f"/api/v1/reviews/{self.review.pk}/markdown/")
        pdf = api.get(f"/api/v1/reviews/{self.review.pk}/pdf/")

        name = f"{self.incident.reference}-review"
        self.assertEqual(markdown["Content-Disposition"], f'attachment; filename="{name}.md"')
        self.assertEqual((pdf["Content-Type"], pdf["X-Content-Type-Options"]), ("application/pdf", "nosniff"))
        self.assertIn("Watch it", PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text())

    def test_it_costs_the_same_for_any_length(self) -> None:
        with self.assertNumQueries(6):
            document_of(self.review, reader=self.admin)
