from django.test import TestCase

from reviews.services.completeness import gaps, lacking
from reviews.services.editing import add_factor, edit_review
from reviews.services.items import edit_item
from reviews.tests.factories import make_item, make_review
from users.tests.factories import make_admin


class GapTests(TestCase):
    def test_it_names_what_is_missing_and_where(self) -> None:
        admin = make_admin()
        review = make_review(by=admin)
        item = make_item(review, by=admin, title="Renew")

        with self.assertNumQueries(2):
            found = gaps(review)

        self.assertEqual(
            [(gap.field, gap.item) for gap in found],
            [("summary", None), ("factors", None), ("owner", item.pk), ("due_on", item.pk)],
        )
        self.assertEqual(lacking(review)[2], "“Renew” has no owner.")

    def test_it_is_satisfied(self) -> None:
        admin = make_admin()
        review = make_review(by=admin)
        edit_item(make_item(review, by=admin), by=admin, changes={"state": "dropped"})
        add_factor(review, by=admin, text="Nobody watched it.")
        edit_review(review, by=admin, changes={"summary": "It expired."})
        review.refresh_from_db()

        self.assertEqual(gaps(review), [])
