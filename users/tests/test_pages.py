import re

from django.core import mail
from django.core.cache import cache
from django.test import Client, TestCase, override_settings

from users import mails, services
from users.models import User
from users.tests.factories import PASSWORD, make_reporter

NEW_PASSWORD = "another horse entirely"


def link_in_mail() -> str:
    """The address, without its host, that the last mail leads to."""
    mails.flush()
    found = re.search(r"^https?://[^/]+(/\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found is not None
    return found.group(1)


@override_settings(RATES_PER_ADDRESS={})
class PageTests(TestCase):
    def press(self, link: str, **more: str) -> "tuple[int, str]":
        """Open the page and send its form, as a browser does; the answer's status and text."""
        page = self.client.get(link)
        text = page.content.decode()
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
        answer = self.client.post(link.partition("?")[0], {**hidden, **more})
        return answer.status_code, answer.content.decode()

    def test_it_leads_from_a_forgotten_password_to_a_new_one(self) -> None:
        user = make_reporter(email="ann@example.com")

        asked = self.press("/forgotten-password/", email="Ann@Example.com")
        link = link_in_mail()
        done = self.press(link, new_password=NEW_PASSWORD)
        again = self.client.get(link)

        self.assertEqual((asked[0], done[0], again.status_code), (200, 200, 400))
        self.assertIn("an email is on its way", asked[1])
        self.assertContains(again, "was used already", status_code=400)
        self.assertNotContains(again, "<form", status_code=400)
        user.refresh_from_db()
        self.assertTrue(user.check_password(NEW_PASSWORD))

    def test_it_says_the_same_for_an_address_nobody_has(self) -> None:
        status, text = self.press("/forgotten-password/", email="nobody@example.com")

        mails.flush()
        self.assertEqual((status, len(mail.outbox)), (200, 0))
        self.assertIn("If an account", text)

    def test_it_says_what_is_wrong_with_a_password(self) -> None:
        make_reporter(email="ann@example.com")
        self.press("/forgotten-password/", email="ann@example.com")

        status, text = self.press(link_in_mail(), new_password="short")

        self.assertEqual(status, 400)
        self.assertIn("too short", text)

    def test_it_confirms_an_address_by_the_button_alone(self) -> None:
        user = services.register(email="new@example.com", password=PASSWORD, name="New")
        link = link_in_mail()

        self.client.get(link)
        self.assertIsNone(User.objects.get(pk=user.pk).email_verified_at)

        self.assertEqual(self.press(link)[0], 200)
        self.assertIsNotNone(User.objects.get(pk=user.pk).email_verified_at)

    def test_it_says_that_a_link_is_not_complete(self) -> None:
        for path in ("/verify-email/", "/reset-password/"):
            with self.subTest(path):
                status, text = self.press(path, new_password=NEW_PASSWORD)

                self.assertEqual(status, 400)
                self.assertIn("The link is incomplete", text)

    def test_it_takes_forms_of_its_own_only_and_is_not_kept(self) -> None:
        foreign = Client(enforce_csrf_checks=True).post("/verify-email/", {"token": "x"})

        self.assertEqual(foreign.status_code, 403)
        self.assertIn("no-store", self.client.get("/reset-password/")["Cache-Control"])

    @override_settings(RATES_PER_ADDRESS={"password_reset": "1/hour"})
    def test_it_limits_how_often_one_client_asks(self) -> None:
        cache.clear()

        first, second = (self.client.post("/forgotten-password/", {"email": "a@example.com"}) for _time in range(2))

        self.assertEqual((first.status_code, second.status_code), (200, 429))
        self.assertGreater(int(second["Retry-After"]), 0)

    def test_it_is_offered_where_people_sign_in(self) -> None:
        answer = self.client.get("/sign-in/")

        self.assertContains(answer, 'href="/forgotten-password/"', count=1)
        self.assertContains(answer, "Forgot your password?")
