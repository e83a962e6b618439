"""Who is redirected by Django's own handlers, and who is not."""

import gzip
import re
from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory, SimpleTestCase, TestCase, override_settings
from django.urls import get_resolver
from django.utils.regex_helper import normalize
from rest_framework.test import APIClient

from incident_response.middleware import compressed_pages
from intake.endpoints import endpoints, find
from tests.test_permission_matrix import routes
from users.tests.factories import make_admin


def addresses() -> Iterator[tuple[str, str]]:
    """A method and a path for each method and each path of each door."""
    for endpoint in endpoints():
        for pattern in endpoint.paths:
            for path, names in normalize(pattern):
                for method in endpoint.methods:
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
        for path in ("/livez", "/readyz", "/health/", "/metrics", "/livez/", "/readyz/", "/health", "/metrics/"):
            with self.subTest(path):
                self.assertNotEqual(self.client.get(path).status_code, 301)

    def test_it_has_writes_sent_again_as_they_are(self) -> None:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for path in ("/api/v1/incidents/", "/api/v1/incidents", "/admin/login/"):
                with self.subTest(f"{method} {path}"):
                    self.assertEqual(self.client.generic(method, path).status_code, 308)


class CompressionTests(SimpleTestCase):
    def answered(self, response: HttpResponseBase) -> HttpResponseBase:
        request = RequestFactory().get("/", headers={"accept-encoding": "gzip"})
        return compressed_pages(lambda request: response)(request)

    def test_it_sends_pages_compressed_and_padded(self) -> None:
        answers = [self.answered(HttpResponse("<p>alike</p>" * 1000)) for _ in range(8)]

        self.assertEqual({answer["Content-Encoding"] for answer in answers}, {"gzip"})
        self.assertEqual(gzip.decompress(answers[0].content), b"<p>alike</p>" * 1000)
        self.assertGreater(len({len(answer.content) for answer in answers}), 1)

    def test_it_leaves_streams_and_everything_but_pages_alone(self) -> None:
        others = (
            StreamingHttpResponse(iter(["data: x\n\n"] * 1000), content_type="text/event-stream"),
            StreamingHttpResponse(iter(["<p>"] * 1000)),
            HttpResponse("{}" * 1000, content_type="application/json", headers={"ETag": '"1"'}),
        )
        for response in others:
            with self.subTest(response["Content-Type"]):
                answer = self.answered(response)

                self.assertNotIn("Content-Encoding", answer.headers)
                self.assertFalse(answer.get("ETag", "").startswith("W/"))


class SlashTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin()

    def setUp(self) -> None:
        self.api = APIClient()
        self.api.force_authenticate(self.admin)

    def test_it_loses_no_write_for_want_of_a_slash(self) -> None:
        made = self.api.post("/api/v1/incidents", {"title": "Lift is stuck"})
        path = f"/api/v1/incidents/{made.json()['reference']}"
        changed = self.api.patch(path, {"title": "Lift is stuck again"})
        commented = self.api.post(f"{path}/timeline", {"message": "Seen", "visibility": "public"})
        gone = self.api.delete(path)

        statuses = [answer.status_code for answer in (made, changed, commented, gone)]
        self.assertEqual(statuses, [201, 200, 201, 204])
        self.assertEqual(changed.json()["title"], "Lift is stuck again")

    def test_it_answers_both_forms_of_every_address_of_the_api_alike(self) -> None:
        for method, route in routes(get_resolver()):
            if route.startswith("admin/") or not route or "<identifier>" in route or "<path" in route:
                continue
            path = "/" + re.sub(r"<[^>]+>", "1", route).strip("/")
            with self.subTest(f"{method} {path}"):
                answers = [self.client.generic(method.upper(), form) for form in (path, f"{path}/")]

                self.assertEqual(len({answer.status_code for answer in answers}), 1)
                self.assertNotIn(answers[0].status_code, (301, 308, 404 if route.startswith("api/") else 0))
                self.assertNotIn(answers[0].get("Location", "").split("?")[0], (path, f"{path}/"))

    def test_it_links_to_the_usual_form(self) -> None:
        for _number in range(2):
            self.api.post("/api/v1/incidents", {"title": "Lift is stuck"})

        page = self.api.get("/api/v1/incidents?page_size=1").json()

        self.assertIn("/api/v1/incidents/?", page["next"])

    def test_it_counts_a_repeat_under_either_form_as_the_same(self) -> None:
        headers = {"Idempotency-Key": "once"}
        answers = [
            self.api.post(path, {"title": "Lift is stuck"}, headers=headers).json()["reference"]
            for path in ("/api/v1/incidents", "/api/v1/incidents/")
        ]

        self.assertEqual(answers[0], answers[1])

    def test_it_answers_404_where_neither_form_is_anything(self) -> None:
        for path in ("/api/v1/nothing", "/api/v1/nothing/", "/api/v1/incidents//", "/nothing"):
            self.assertEqual(self.client.post(path).status_code, 404, path)
