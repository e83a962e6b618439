from urllib.parse import urljoin, urlsplit

from django.test import Client, TestCase, override_settings
from django.urls import reverse

from e2e.browser import registry
from users.tests.factories import PASSWORD, make_admin

ELSEWHERE = (
    *("https://evil.example/", "//evil.example/", "///evil.example/", "/\\evil.example", "\\\\evil.example"),
    *("https:evil.example", "http:///evil.example", "javascript:alert(1)", " //evil.example", "\t//evil.example"),
    *("/\t/evil.example", "https://testserver@evil.example/", "https://testserver.evil.example/", "data:text/html,x"),
)


class EveryPageTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin = make_admin()

    def setUp(self):
        self.client.force_login(self.admin)

    def test_it_lets_no_page_be_framed_or_run_what_is_not_ours(self):
        for route in registry.routes():
            with self.subTest(route.name):
                answer = self.client.get(route.any_address())
                policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))

                self.assertEqual(answer["X-Frame-Options"], "DENY")
                self.assertEqual(policy["frame-ancestors"], "'none'")
                self.assertEqual((policy["script-src"], policy["style-src"]), ("'self'", "'self'"))
                self.assertEqual((policy["object-src"], policy["base-uri"]), ("'none'", "'self'"))
                self.assertEqual(answer["X-Content-Type-Options"], "nosniff")

    def test_it_takes_no_write_without_a_token(self):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.admin)
        for route in registry.routes():
            with self.subTest(route.name):
                self.assertIn(strict.post(route.any_address()).status_code, (403, 405))

    def test_it_leads_nowhere_else_afterwards(self):
        for route in registry.routes():
            for target in ELSEWHERE if "sign" in route.name else ELSEWHERE[:2]:
                for answer in self.answers(route, target):
                    with self.subTest(route=route.name, target=target):
                        self.assertTrue(is_here(answer.get("Location", "/")), answer.get("Location"))

    def answers(self, route, target):
        address = route.any_address()
        yield self.client.get(address, {"next": target})
        yield self.client.post(address, {"next": target}, headers={"referer": "https://evil.example/"})
        if "sign-out" in route.name:
            self.client.force_login(self.admin)


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
class SignInTests(TestCase):
    def test_it_leads_nowhere_else_after_signing_in(self):
        admin = make_admin()
        for target in ELSEWHERE:
            with self.subTest(target):
                self.client.logout()
                answer = self.client.post(
                    reverse("console:sign-in"), {"email": admin.email, "password": PASSWORD, "next": target}
                )

                self.assertEqual(answer.status_code, 302)
                self.assertTrue(is_here(answer["Location"]), answer["Location"])

    def test_it_leads_back_to_a_page_of_ours(self):
        admin = make_admin()

        answer = self.client.post(
            reverse("console:sign-in"), {"email": admin.email, "password": PASSWORD, "next": "/inbox/?unread=true"}
        )

        self.assertEqual(answer["Location"], "/inbox/?unread=true")


def is_here(location):
    """Whether browsers, which read a backslash as a slash and drop tabs, stay on this host."""
    read = location.strip().replace("\\", "/").replace("\t", "").replace("\n", "")
    parts = urlsplit(urljoin("http://testserver/", read))
    return parts.scheme in ("http", "https") and parts.netloc == "testserver"
