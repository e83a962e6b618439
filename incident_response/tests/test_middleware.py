"""Who is redirected to HTTPS by Django's own handlers, and who is not."""

from collections.abc import Iterator

from django.test import TestCase, override_settings
from django.utils.regex_helper import normalize

from alerts.intake.doors import doors, find


def addresses() -> Iterator[tuple[str, str]]:
    """A method and a path for each method and each path of each door."""
    for door in doors():
        for pattern in door.paths:
            for path, names in normalize(pattern):
                for method in door.methods:
                    yield method, f"/{path % dict.fromkeys(names, 'a')}"


@override_settings(SECURE_SSL_REDIRECT=True)
class RedirectTests(TestCase):
    def test_it_redirects_no_sender(self) -> None:
        for method, path in addresses():
            with self.subTest(f"{method} {path}"):
                self.assertIsNotNone(find(method, path))

                self.assertNotEqual(self.client.generic(method, path).status_code, 301)

    def test_it_asks_a_sender_for_no_host(self) -> None:
        answer = self.client.post("/v2/enqueue", "{}", content_type="application/json", headers={"host": "10.0.0.5"})

        self.assertEqual((answer.status_code, answer.json()["status"]), (400, "invalid event"))

    def test_it_redirects_people_who_read_where_senders_write(self) -> None:
        self.assertEqual(self.client.get("/api/v1/logs/").status_code, 301)
        self.assertEqual(self.client.post("/api/v1/logs/", "[]", content_type="application/json").status_code, 401)

    def test_it_redirects_no_probe(self) -> None:
        for path in ("/livez", "/readyz", "/health/", "/metrics"):
            with self.subTest(path):
                self.assertNotEqual(self.client.get(path).status_code, 301)
