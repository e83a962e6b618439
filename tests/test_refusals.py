"""What a refusal tells: all that is wrong at once, and what would have been accepted."""

import datetime as dt
from typing import Any

from django.test import TestCase
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from alerts.tests.factories import make_key, make_source
from incidents.tests.factories import make_incident
from tests.test_permission_matrix import routes
from users.tests.factories import make_admin

API = "/api/v1"


class RefusalCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin()

    def setUp(self) -> None:
        self.api = APIClient()
        self.api.force_authenticate(self.admin)

    def errors(self, answer: Any) -> dict[str, str]:
        self.assertEqual(answer.status_code, 400, answer.content)
        return {error["field"]: error["code"] for error in answer.json()["errors"]}


class FieldTests(RefusalCase):
    def test_it_tells_of_unknown_fields_beside_all_else_and_lists_the_known(self) -> None:
        answer = self.api.post(f"{API}/incidents/", {"titel": "x", "prio": 1, "severity": "awful"})

        expected = {
            "titel": "unknown_field",
            "prio": "unknown_field",
            "title": "required",
            "severity": "invalid_choice",
        }
        self.assertEqual(self.errors(answer), expected)
        [message] = [error["message"] for error in answer.json()["errors"] if error["field"] == "titel"]
        self.assertIn("Valid fields: title, description, severity", message)
        self.assertNotIn("created_at", message)

    def test_it_does_so_wherever_fields_are_set(self) -> None:
        incident = make_incident()
        cases = {
            f"{API}/sources/": ({"nmae": "x", "kind": "carrier pigeon"}, {"nmae", "name", "kind"}),
            f"{API}/teams/": ({"x": 1}, {"x", "name"}),
            f"{API}/sla-policies/": ({"x": 1, "severity": "awful"}, {"x", "severity"}),
            f"{API}/silences/": ({"x": 1, "matchers": 7}, {"x", "matchers"}),
            f"{API}/changes/": ({"x": 1, "occurred_at": "soon"}, {"x", "summary", "occurred_at"}),
            f"{API}/incidents/{incident.pk}/timeline/": (
                {"x": 1, "visibility": "loud"},
                {"x", "message", "visibility"},
            ),
            f"{API}/auth/register/": ({"x": 1}, {"x", "email", "password", "name"}),
        }
        for path, (body, wrong) in cases.items():
            with self.subTest(path):
                self.assertLessEqual(wrong, set(self.errors(self.api.post(path, body))))

    def test_it_refuses_a_field_of_a_form_that_is_given_twice(self) -> None:
        answer = self.api.post(f"{API}/incidents/", "title=One&title=Two", content_type=FORM)
        several = self.api.post(f"{API}/incidents/", "title=One&services=a&services=b", content_type=FORM)

        self.assertEqual(self.errors(answer), {"title": "repeated"})
        self.assertEqual(self.errors(several), {"services": "does_not_exist"})

    def test_it_hints_at_json_that_claims_to_be_a_form(self) -> None:
        for body in ('{"title": "Lift"}', ' [{"title": "a&b=c"}]'):
            answer = self.api.post(f"{API}/incidents/", body, content_type=FORM)

            self.assertEqual((answer.status_code, answer.json()["code"]), (400, "json_as_form"))
            self.assertIn("Content-Type: application/json", answer.json()["detail"])


FORM = "application/x-www-form-urlencoded"


class AcceptedTests(RefusalCase):
    def test_it_says_which_methods_an_address_takes(self) -> None:
        answer = self.api.delete(f"{API}/incidents/")

        self.assertEqual((answer.status_code, answer["Allow"]), (405, "GET, POST, HEAD, OPTIONS"))
        self.assertIn("Use GET, POST or HEAD.", answer.json()["detail"])

    def test_it_says_which_bodies_an_address_takes(self) -> None:
        answer = self.api.post(f"{API}/teams/", "name: Night", content_type="application/yaml")

        self.assertEqual(answer.status_code, 415)
        self.assertEqual(answer["Accept"].split(", "), ["application/json", "multipart/form-data", FORM])
        self.assertIn(f"Send application/json, multipart/form-data or {FORM}.", answer.json()["detail"])

    def test_it_names_each_media_type_once(self) -> None:
        answer = self.api.post(f"{API}/incidents/", "x", content_type="text/plain")

        named = answer["Accept"].split(", ")
        self.assertEqual(len(named), len(set(named)))

    def test_it_says_how_to_sign_in(self) -> None:
        answer = self.client.get(f"{API}/incidents/")

        self.assertEqual((answer.status_code, answer["WWW-Authenticate"]), (401, "Bearer"))
        self.assertIn("Authorization: Bearer <access token>", answer.json()["detail"])
        self.assertIn("Authorization: Token <personal token>", answer.json()["detail"])

    def test_it_says_how_each_endpoint_of_senders_is_asked(self) -> None:
        for path, scheme in {
            "/v2/alerts": "GenieKey",
            "/api/v2/alerts": "Bearer",
            "/v1/logs": "Bearer",
            "/loki/api/v1/push": "Bearer",
            "/services/collector/event": "Splunk",
            "/gelf": "Bearer",
            f"{API}/logs/": "Bearer",
        }.items():
            with self.subTest(path):
                answer = self.client.post(path, "{}", content_type="application/json")

                self.assertEqual((answer.status_code, answer["WWW-Authenticate"].split(",")[0]), (401, scheme))

    def test_it_answers_problem_documents_where_senders_call(self) -> None:
        key = make_key(make_source())
        for method, path, status in (
            ("POST", "/intake/badkey/", 403),
            ("GET", "/intake/badkey", 403),
            ("POST", "/intake/badkey/heartbeat/backup/", 403),
            ("DELETE", f"/intake/{key}/", 405),
            ("POST", f"/intake/{key}/", 400),
            ("POST", "/intake/", 404),
            ("POST", "/v2/nothing", 404),
            ("GET", "/v2/enqueue", 405),
        ):
            with self.subTest(path):
                answer = self.client.generic(method, path, b"{", "application/json")

                self.assertEqual((answer.status_code, answer["Content-Type"]), (status, "application/problem+json"))
                self.assertEqual(answer.json()["status"], status)
                self.assertTrue(answer.json()["detail"].endswith("."))
                self.assertEqual("Allow" in answer, status == 405)


class TimeTests(RefusalCase):
    def test_it_refuses_what_has_not_happened_yet_but_not_a_clock_that_differs(self) -> None:
        now, incident = timezone.now(), make_incident()
        for at, is_right in (
            ("2099-01-01T00:00:00Z", False),
            ((now + dt.timedelta(hours=1)).isoformat(), False),
            ((now + dt.timedelta(minutes=2)).isoformat(), True),
            ((now - dt.timedelta(days=9)).isoformat(), True),
        ):
            with self.subTest(at):
                answers = [
                    self.api.post(f"{API}/incidents/", {"title": "a", "occurred_at": at}),
                    self.api.patch(f"{API}/incidents/{incident.pk}/", {"occurred_at": at}),
                    self.api.post(f"{API}/changes/", {"summary": "a", "occurred_at": at}),
                ]

                self.assertEqual([answer.status_code for answer in answers], [201, 200, 201] if is_right else [400] * 3)
                if not is_right:
                    codes = [error["code"] for answer in answers for error in answer.json()["errors"]]
                    self.assertEqual(codes, ["in_the_future"] * 3)

    def test_it_refuses_a_change_of_tomorrow_from_a_sender(self) -> None:
        payload = {"summary": "Release", "timestamp": "2099-01-01T00:00:00Z"}
        body = {"routing_key": make_key(make_source(kind="pagerduty")), "payload": payload}

        answer = self.client.post("/v2/change/enqueue", body, content_type="application/json")

        self.assertEqual(answer.status_code, 400)
        self.assertIn("timestamp", answer.json()["errors"][0])


class ParameterTests(RefusalCase):
    def test_it_refuses_parameters_that_are_repeated_in_every_list(self) -> None:
        make_incident()
        listed = 0
        for method, route in routes(get_resolver()):
            if method != "get" or not route.startswith("api/v1/") or "<" in route:
                continue
            answers = [self.api.get(f"/{route}?{query}") for query in ("page_size=1", "page_size=1&page_size=2")]
            if answers[0].status_code == 200 and "results" in answers[0].json():
                listed += 1
                with self.subTest(route):
                    self.assertEqual(self.errors(answers[1]), {"page_size": "repeated"})
        self.assertGreater(listed, 12)

    def test_it_tells_all_that_is_wrong_at_once(self) -> None:
        unknown = {"colour": "unknown_filter", "shape": "unknown_filter"}
        paging = {"page_size": "invalid", "ordering": "unknown_ordering"}
        cases: dict[str, tuple[str, dict[str, str]]] = {
            "/incidents/": (
                "status=x&team=x&created_after=x&breached=x&severity=low&q=a&is_open=true&is_open=x",
                paging,
            ),
            "/incidents/summary/": ("status=x&team=x&created_after=x&breached=x", {"page_size": "unknown_filter"}),
            "/alerts/": ("status=x&team=x&created_after=x&incident=x&label.=x&is_flapping=true&label.a=b", paging),
            "/logs/": ("level=x&level_min=x&since=x&until=x&source=x&service=web&host=%00", paging),
        }
        for path, (query, others) in cases.items():
            with self.subTest(path):
                answer = self.api.get(f"{API}{path}?colour=red&shape=round&page_size=x&ordering=x&cursor=x&{query}")

                codes = {"is_open": "repeated", "label.": "unknown_filter"}
                right = {"severity", "q", "is_flapping", "label.a", "service"}
                names = {part.partition("=")[0] for part in query.split("&")} - right
                values = {name: codes.get(name, "invalid") for name in names}
                found = self.errors(answer)
                self.assertLessEqual((values | unknown | others).items(), found.items())
                self.assertLessEqual(set(found), {*values, *unknown, *others, "ordering", "cursor"})
                self.assertTrue(all(error["message"].endswith(".") for error in answer.json()["errors"]))

    def test_it_refuses_filters_that_are_repeated(self) -> None:
        for path in (
            "/incidents/?status=open&status=closed",
            "/incidents/summary/?severity=low&severity=high",
            "/incidents/export/?status=open&status=open",
            "/metrics/sla/?group_by=severity&group_by=team",
            "/alerts/?severity=low&severity=high",
            "/logs/?level=error&level=info",
            "/users/?role=admin&role=reporter",
            "/silences/?is_ended=true&is_ended=false",
        ):
            with self.subTest(path):
                answer = self.api.get(API + path)

                self.assertIn("repeated", self.errors(answer).values())
                self.assertIn("more than once", answer.json()["detail"])

    def test_it_takes_several_labels_of_one_name(self) -> None:
        self.assertEqual(self.api.get(f"{API}/alerts/?label.env=a&label.env=b").status_code, 200)
