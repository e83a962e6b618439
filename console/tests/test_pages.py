from django.test import TestCase
from django.urls import reverse

from users.models import Role
from users.tests.factories import make_user


class PageTests(TestCase):
    def test_it_sends_strangers_to_sign_in_and_back(self):
        response = self.client.get(reverse("console:inbox") + "?unread=true")

        self.assertEqual(response.status_code, 302)
        self.assertTrue(response["Location"].endswith("next=%2Finbox%2F%3Funread%3Dtrue"), response["Location"])

    def test_it_opens_for_everybody_signed_in(self):
        for role in Role:
            self.client.force_login(make_user(role=role))
            for name in ("incidents", "inbox", "search", "styleguide"):
                with self.subTest(role=role, page=name):
                    response = self.client.get(reverse(f"console:{name}"), follow=True)

                    self.assertEqual(response.status_code, 200)

    def test_it_shows_refusals_as_sentences(self):
        self.client.force_login(make_user())

        response = self.client.get(reverse("console:incidents") + "?nonsense=1")

        self.assertContains(response, "nonsense", status_code=400)

    def test_it_shows_refusals_to_scripts_as_toasts(self):
        self.client.force_login(make_user())

        response = self.client.get(reverse("console:incidents") + "?nonsense=1", headers={"HX-Request": "true"})

        self.assertEqual((response.status_code, response["HX-Retarget"]), (400, "#toasts"))

    def test_it_allows_only_own_scripts_and_styles(self):
        self.client.force_login(make_user())

        policy = self.client.get(reverse("console:inbox"))["Content-Security-Policy"]

        self.assertIn("script-src 'self';", policy + ";")
        self.assertIn("style-src 'self';", policy + ";")
