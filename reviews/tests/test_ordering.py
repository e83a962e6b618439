from django.test import TestCase

from core.errors import Conflict, NotFound, PermissionRefused
from incidents.tests.factories import make_incident, make_team
from reviews.models import Factor
from reviews.services.editing import add_factor, remove_factor
from reviews.services.ordering import move_factor
from reviews.tests.factories import complete, make_review
from users.tests.factories import make_admin, make_responder


class OrderTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.review = make_review(make_incident(by=self.admin, team=make_team("Plumbing")), by=self.admin)
        self.factors = [add_factor(self.review, by=self.admin, text=text) for text in "abc"]

    def order(self) -> str:
        return "".join(Factor.objects.filter(review=self.review).values_list("text", flat=True))

    def test_it_moves_a_factor_past_its_neighbour(self) -> None:
        first, second, last = self.factors
        for factor, is_down, expected in (
            (first, True, "bac"),
            (last, False, "bca"),
            (second, False, "bca"),
            (first, True, "bca"),
        ):
            with self.subTest(expected, factor=factor.text):
                move_factor(factor, by=self.admin, is_down=is_down)

                self.assertEqual(self.order(), expected)

    def test_it_tells_factors_of_one_place_apart(self) -> None:
        Factor.objects.filter(review=self.review).update(position=0)

        move_factor(self.factors[2], by=self.admin, is_down=False)

        self.assertEqual(self.order(), "acb")

    def test_it_refuses_others_and_completed_reviews(self) -> None:
        with self.assertRaises(PermissionRefused):
            move_factor(self.factors[0], by=make_responder(), is_down=True)
        complete(self.review, by=self.admin)
        with self.assertRaises(Conflict):
            move_factor(self.factors[0], by=self.admin, is_down=True)

    def test_it_says_when_it_is_gone(self) -> None:
        remove_factor(self.factors[0], by=self.admin)

        with self.assertRaises(NotFound):
            move_factor(self.factors[0], by=self.admin, is_down=True)
