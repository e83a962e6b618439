import datetime as dt

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from logs.lines import Line
from logs.services.following import newest_id
from logs.tests.factories import make_lines
from logs.vocabulary import Level
from users.models import Role
from users.tests.factories import make_responder, make_user

HOSTILE = "<script>alert(1)</script>\"'>\u202e\x07"
URL = "/logs/"


class LogTests(TestCase):
    def setUp(self):
        self.me = make_responder()
        self.client.force_login(self.me)
        self.now = timezone.now()
        self.lines = make_lines(
            Line("Started", self.now - dt.timedelta(minutes=2), service="cart", host="h1"),
            Line("Payment refused", self.now - dt.timedelta(minutes=1), level=Level.ERROR, service="pay"),
            at=self.now - dt.timedelta(minutes=1),
        )

    def shown(self, query=""):
        response = self.client.get(URL + query, follow=True)
        self.assertEqual(response.status_code, 200)
        return [line["message"] for line in response.context["lines"]]

    def test_it_searches_as_the_api_does(self):
        for query, expected in (
            ("", ["Payment refused", "Started"]),
            ("?level=error", ["Payment refused"]),
            ("?level_min=warning&service=pay", ["Payment refused"]),
            ("?service=cart&q=", ["Started"]),
            ("?host=h1", ["Started"]),
            ("?q=REFUSED", ["Payment refused"]),
            ("?since=2030-01-01T00:00:00Z", []),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.shown(query), expected)
        for query in ("?nonsense=1", "?level=loud", "?since=yesterday", "?cursor=1"):
            with self.subTest(query=query):
                self.assertEqual(self.client.get(URL + query).status_code, 400)

    def test_it_refuses_times_that_some_zone_lacks(self):
        for address in (
            f"{URL}?since=0001-01-01T00:00",
            f"{URL}?until=9999-12-31T23:59Z",
            f"{URL}density/?until=0001-01-01T00:00Z",
        ):
            with self.subTest(address):
                self.assertEqual(self.client.get(address).status_code, 400)

    def test_it_reads_times_in_the_persons_zone(self):
        self.me.time_zone = "Asia/Tokyo"
        self.me.save()

        response = self.client.get(URL + "?since=2026-03-02T10:00")

        self.assertEqual(response["Location"], URL + "?since=2026-03-02T01%3A00%3A00Z")
        self.assertContains(self.client.get(response["Location"]), 'value="2026-03-02T10:00"')

    def test_it_draws_how_many_there_were_when(self):
        response = self.client.get(reverse("console:logs-density") + "?service=pay")

        columns = list(response.context["chart"].hits)
        self.assertEqual(len(columns), 48)
        self.assertIn("service=pay&since=", columns[0].url)
        self.assertContains(response, "<svg")
        for query in (
            "?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
            "?since=1990-01-01T00:00:00Z",
            "?level=x",
        ):
            self.assertEqual(self.client.get(reverse("console:logs-density") + query).status_code, 400)

    def test_it_follows(self):
        after = newest_id()
        url = f"{reverse('console:logs-follow')}?service=pay&after={after}"
        make_lines(Line("New one", service="pay"), Line("Other", service="cart"))

        response = self.client.get(url)

        self.assertEqual([line["message"] for line in response.context["lines"]], ["New one"])
        self.assertContains(response, f'data-after="{newest_id()}"')
        self.assertEqual(self.client.get(reverse("console:logs-follow")).status_code, 400)
        self.assertEqual(self.client.get(f"{url}&nonsense=1").status_code, 400)

    def test_it_shows_a_line_with_all_that_is_known(self):
        made = make_lines(
            Line(HOSTILE, level=Level.WARNING, attributes={"a": {"b": HOSTILE}}, trace_id="ab" * 16, service=HOSTILE)
        )

        response = self.client.get(f"{URL}{made[0].pk}/")
        listed = self.client.get(URL)

        self.assertContains(response, "ab" * 16)
        self.assertContains(response, f"/detection-rules/new/?line={made[0].pk}")
        for page in (response, listed):
            self.assertNotContains(page, "<script>alert(1)")
        self.assertEqual(self.client.get(f"{URL}999999/").status_code, 404)
        self.assertEqual(self.client.get(f"{URL}{2**63}/").status_code, 404)

    def test_it_is_for_responders(self):
        urls = [
            URL,
            reverse("console:logs-density"),
            f"{reverse('console:logs-follow')}?after=0",
            f"{URL}{self.lines[0].pk}/",
        ]
        for role, status in ((Role.REPORTER, 403), (Role.RESPONDER, 200), (Role.ADMIN, 200)):
            self.client.force_login(make_user(role=role))
            for url in urls:
                with self.subTest(role=role, url=url):
                    self.assertEqual(self.client.get(url).status_code, status)

    def test_it_counts_nothing_and_asks_the_same_whatever_it_shows(self):
        few = self.asked()
        make_lines(*(Line(f"line {number}") for number in range(60)))
        many = self.asked()

        self.assertEqual(len(many), len(few))
        self.assertLessEqual(len(many), 10)
        self.assertFalse([sql for sql in many if "COUNT(" in sql and "logs_logentry" in sql])

    def asked(self):
        with CaptureQueriesContext(connection) as queries:
            self.client.get(URL)
        return [query["sql"] for query in queries]
