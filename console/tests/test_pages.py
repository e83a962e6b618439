from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from console import urls as console_urls
from notifications.models import Notification
from users.models import Role
from users.tests.factories import make_user

# Routes that people reach without being signed in, each for a reason.
FOR_STRANGERS: dict[str, str] = {
    "sign-in": "it is where they sign in",
    "sign-in-code": "its second step",
    "sign-in-key": "its second step, by a key",
    "sign-in-key-options": "what the browser asks that key",
    "sign-in-passkey": "signing in without a password",
    "sign-in-passkey-options": "what the browser asks a passkey",
    "oidc": "it leads to an identity provider",
    "oidc-callback": "where the provider sends them back",
    "sign-out": "there is nothing to end",
    "register": "it is where they become known",
    "manifest": "browsers read it without cookies",
    "service-worker": "browsers renew it whoever is signed in",
    "offline": "it is shown without a network, and says nothing of anybody",
    "report-shell": "it is shown without a network, and says nothing of anybody",
    "agent-file": "machines fetch the agent, which holds no secret, before they have a key",
    "report-token": "it tells a waiting report that nobody is signed in",
}


class PageTests(TestCase):
    def test_it_sends_strangers_to_sign_in_and_back(self):
        response = self.client.get(reverse("console:inbox") + "?unread=true")

        self.assertEqual(response.status_code, 302)
        self.assertTrue(response["Location"].endswith("next=%2Finbox%2F%3Funread%3Dtrue"), response["Location"])

    def test_it_sends_scripts_back_to_their_page_and_not_to_a_part_of_it(self):
        headers = {"HX-Request": "true", "Referer": "http://testserver/?team=mine"}

        response = self.client.get(reverse("console:dashboard-now"), headers=headers)

        self.assertEqual(response.status_code, 401)
        self.assertTrue(
            response["HX-Redirect"].endswith("next=http%3A%2F%2Ftestserver%2F%3Fteam%3Dmine"), response.headers
        )

    def test_it_opens_for_everybody_signed_in(self):
        for role in Role:
            self.client.force_login(make_user(role=role))
            for name in ("incidents", "inbox", "search", "styleguide"):
                with self.subTest(role=role, page=name):
                    response = self.client.get(reverse(f"console:{name}"), follow=True)

                    self.assertEqual(response.status_code, 200)

    def test_it_marks_entries_as_read_by_a_form_alone(self):
        user = make_user()
        entry = Notification.objects.create(key="1", user=user, kind="update", title="News", created_at=timezone.now())
        self.client.force_login(user)

        for method, status, is_read in (("get", 405, False), ("post", 302, True)):
            with self.subTest(method=method):
                response = getattr(self.client, method)(reverse("console:inbox-read"))

                entry.refresh_from_db()
                self.assertEqual((response.status_code, entry.read_at is not None), (status, is_read))

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


class EveryRouteTests(TestCase):
    """No page may be forgotten: whoever is not signed in is sent to sign in, by GET and by POST."""

    def test_it_turns_strangers_away(self):
        for name, address in addresses():
            if name in FOR_STRANGERS:
                continue
            for method in ("get", "post"):
                with self.subTest(page=name, method=method):
                    response = getattr(self.client, method)(address)

                    self.assertIn(response.status_code, (302, 401, 405))
                    if response.status_code == 302:
                        self.assertIn("next=", response["Location"])

    def test_it_exempts_only_what_there_is(self):
        self.assertEqual(set(FOR_STRANGERS) - {name for name, _address in addresses()}, set())


def addresses():
    """Each of the console's routes, by name and with something in its places."""
    for pattern in console_urls.urlpatterns:
        places = dict.fromkeys(pattern.pattern.converters, "1")
        yield pattern.name, reverse(f"console:{pattern.name}", kwargs=places)


class TokenTests(TestCase):
    def test_it_says_what_to_do_about_a_form_without_its_token(self):
        response = Client(enforce_csrf_checks=True).post(reverse("console:sign-in"), {"email": "a@b.example"})

        self.assertContains(response, "load it again", status_code=403)
        self.assertContains(response, "console/base.css", status_code=403)
