"""What every route promises: the shape of errors, strictness, a described API, and a cost that does not grow."""

from typing import Any
from unittest import mock

from django.db import connection, transaction
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.severity import Severity
from incidents.models import Incident, IncidentEvent
from incidents.serializers.incidents import IncidentDetailSerializer, IncidentSerializer
from incidents.services import comment, link
from incidents.tests.factories import make_category, make_incident, make_policy, make_service, make_team, report
from incidents.views.incidents import IncidentViewSet
from incidents.vocabulary import LinkKind
from tests import hostile
from tests.people import signed_in
from users.models import User
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder

API = "/api/v1/"
PROBLEM_KEYS = {"type", "title", "status", "detail", "code", "errors", "request_id"}
QUERY_LIMIT_LIST = 8
QUERY_LIMIT_WRITE = 12
QUERY_LIMIT_DETAIL = 10


@override_settings(RATES_PER_ADDRESS={})
class ContractCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.member, cls.user = make_responder(), make_admin()
        cls.team = make_team("Database", cls.member)
        cls.service, cls.category = make_service(team=cls.team), make_category(default_team=cls.team)
        cls.incident = make_incident(by=cls.member, services=[cls.service], category=cls.category)
        cls.link = link(cls.incident, make_incident(by=cls.member), LinkKind.RELATED_TO, by=cls.user)
        cls.event = comment(cls.incident, "A secret", by=cls.member)
        cls.policy = make_policy(severity=Severity.HIGH)

    def setUp(self) -> None:
        self.client = signed_in(self.user)
        self.path = f"{API}incidents/{self.incident.pk}/"

    def assert_problem(self, answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
        """That it is a problem document (RFC 9457) of this status."""
        self.assertEqual(answer.status_code, status, answer.content[:300])
        self.assertEqual(answer["Content-Type"], "application/problem+json")
        body: dict[str, Any] = answer.json()
        self.assertLessEqual(PROBLEM_KEYS, set(body))
        self.assertEqual((body["status"], body["request_id"]), (status, answer["X-Request-ID"]))
        self.assertTrue(body["detail"] and body["title"] and body["code"])
        for error in body["errors"]:
            self.assertEqual(set(error), {"field", "code", "message"})
        if code is not None:
            self.assertEqual(body["code"], code)
        return body


class ErrorTests(ContractCase):
    def test_it_answers_every_kind_of_error_as_a_problem(self) -> None:
        anonymous, member = APIClient(), signed_in(self.member)
        resolved = make_incident(by=self.user)
        table = [
            (anonymous.get(f"{API}incidents/"), 401, "not_authenticated"),
            (signed_in(make_reporter()).post(f"{API}incidents/bulk/", {}), 403, "permission_denied"),
            (member.delete(self.path), 403, "permission_denied"),
            (member.post(f"{API}teams/", {"name": "New"}), 403, "permission_denied"),
            (member.get(f"{API}incidents/0/"), 404, "not_found"),
            (member.get(f"{API}teams/0/"), 404, "not_found"),
            (member.get(f"{API}no/such/route/"), 404, "not_found"),
            (anonymous.get("/api/v2/"), 404, "not_found"),
            (member.put(f"{API}incidents/"), 405, "method_not_allowed"),
            (member.patch(f"{API}incidents/{resolved.pk}/", {"status": "closed"}), 409, "invalid_transition"),
            (member.patch(self.path, {"title": "x"}, headers={"If-Match": '"99"'}), 412, "stale_version"),
            (member.post(f"{API}incidents/", "x", content_type="text/plain"), 415, "unsupported_media_type"),
            (member.post(f"{API}incidents/", {}), 400, "invalid"),
            (member.post(f"{API}incidents/", "{", content_type="application/json"), 400, "parse_error"),
        ]
        for number, (answer, status, code) in enumerate(table):
            with self.subTest(number=number):
                self.assert_problem(answer, status, code)

    def test_it_asks_who_is_calling(self) -> None:
        for authorization in ("", "Bearer", "Bearer x", "Bearer a b", "Token x", "Token", "Basic x", "Bearer \xff"):
            with self.subTest(authorization):
                answer = APIClient().get(f"{API}incidents/", headers={"Authorization": authorization})

                self.assert_problem(answer, 401)
                self.assertIn("WWW-Authenticate", answer)

    def test_it_hides_what_went_wrong_inside(self) -> None:
        with mock.patch.object(IncidentViewSet, "list", side_effect=RuntimeError("secret detail")):
            answer = self.client.get(f"{API}incidents/")

        self.assert_problem(answer, 500, "server_error")
        self.assertNotIn(b"secret detail", answer.content)

    def test_it_names_the_fields_that_are_refused(self) -> None:
        answer = self.client.post(f"{API}incidents/", {"title": "", "severity": "bad", "services": ["x", 5, {}]})

        fields = [error["field"] for error in self.assert_problem(answer, 400, "invalid")["errors"]]
        self.assertEqual(fields, ["title", "severity", "services.2"])

    def test_it_keeps_the_request_id_of_a_proxy(self) -> None:
        answer = self.client.get(f"{API}incidents/0/", headers={"X-Request-ID": "proxy-0123456789"})

        self.assertEqual(answer.json()["request_id"], "proxy-0123456789")


class StrictnessTests(ContractCase):
    LISTS = ("incidents/", "teams/", "services/", "categories/", "sla-policies/", "users/", "me/tokens/")
    LISTS_OF_ONE = ("timeline/", "history/", "subscribers/", "links/", "attachments/")

    def lists(self) -> list[str]:
        of_one = [f"{self.path}{name}" for name in self.LISTS_OF_ONE]
        return [*(API + name for name in self.LISTS), *of_one, f"{API}teams/{self.team.pk}/members/"]

    def test_it_pages_every_list(self) -> None:
        for path in self.lists():
            with self.subTest(path):
                self.assertEqual(set(self.client.get(path).json()), {"next", "previous", "results"})

    def test_it_refuses_unknown_parameters(self) -> None:
        more = ["incidents/summary/", "incidents/export/", "metrics/sla/"]
        for path in [*self.lists(), *(API + name for name in more), self.path]:
            with self.subTest(path):
                answer = self.client.get(path, {"nonsense": "1"})

                self.assertEqual(self.assert_problem(answer, 400)["errors"][0]["code"], "unknown_filter")

    def test_it_refuses_unknown_orderings(self) -> None:
        for path in self.lists():
            for ordering in ("nonsense", "-", "--id", "password", "pk,", "\x00"):
                with self.subTest(path, ordering=ordering):
                    answer = self.client.get(path, {"ordering": ordering})

                    self.assertEqual(self.assert_problem(answer, 400)["errors"][0]["code"], "unknown_ordering")

    def test_it_bounds_the_page_size(self) -> None:
        for path in self.lists():
            for size, status in {"1": 200, "200": 200, "0": 400, "201": 400, "x": 400, "": 400, "9" * 99: 400}.items():
                with self.subTest(path, size=size):
                    self.assertEqual(self.client.get(path, {"page_size": size}).status_code, status)

    def test_it_refuses_unknown_fields(self) -> None:
        table = [
            ("post", f"{API}incidents/", {"title": "x"}),
            ("put", self.path, {"title": "x"}),
            ("patch", self.path, {"title": "x"}),
            ("post", f"{API}incidents/bulk/", {"ids": [self.incident.pk], "severity": "low"}),
            ("post", f"{self.path}timeline/", {"message": "x"}),
            ("post", f"{self.path}subscribers/", {}),
            ("post", f"{self.path}links/", {"kind": "related_to", "target": str(self.link.target_id)}),
            ("post", f"{API}timeline/{self.event.pk}/redact/", {}),
            ("post", f"{API}teams/", {"name": "x"}),
            ("post", f"{API}services/", {"name": "x", "slug": "x"}),
            ("patch", f"{API}categories/{self.category.pk}/", {"name": "x"}),
            ("patch", f"{API}sla-policies/{self.policy.pk}/", {"name": "x"}),
            ("post", f"{API}teams/{self.team.pk}/members/", {"user": self.user.pk}),
        ]
        for method, path, body in table:
            with self.subTest(method, path=path):
                answer = getattr(self.client, method)(path, {**body, "sevrity": "high"})

                self.assertEqual(self.assert_problem(answer, 400)["errors"][0]["code"], "unknown_field")

    def test_it_says_what_would_have_been_right(self) -> None:
        table = {
            "severity": ("urgent", 'severity: "urgent" is not one of critical, high, medium, low.'),
            "category": ("nonsense", "category: Category nonsense does not exist."),
            "team": (0, "team: Team 0 does not exist."),
            "assignee": ("Tom", "assignee: Must be the id of a user, a whole number."),
        }
        for field, (value, sentence) in table.items():
            with self.subTest(field):
                answer = self.client.patch(self.path, {field: value})

                self.assertEqual(self.assert_problem(answer, 400)["detail"], sentence)

    def test_it_says_which_words_a_filter_takes(self) -> None:
        answer = self.client.get(f"{API}incidents/", {"breached": "true"})

        self.assertEqual(self.assert_problem(answer, 400)["detail"], "breached: true is not one of ack, resolve, any.")

    def test_it_takes_back_what_it_showed_of_configuration(self) -> None:
        path = f"{API}teams/{self.team.pk}/"

        answer = self.client.put(path, self.client.get(path).json())

        self.assertEqual(answer.status_code, 200, answer.content)

    def test_it_answers_options(self) -> None:
        for path in self.lists():
            with self.subTest(path):
                self.assertEqual(self.client.options(path).status_code, 200)


class HostileInputTests(ContractCase):
    """Whatever comes, the answer is never a 500."""

    def write_routes(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Every write of ours, with a body that it accepts."""
        one = self.incident.pk
        incident = {
            **{"title": "x", "description": "x", "severity": "low", "priority": "p1", "category": "network"},
            **{"location": "x", "services": ["payments"], "team": self.team.pk, "assignee": self.user.pk},
            **{"is_restricted": False, "occurred_at": "2026-01-01T00:00:00Z"},
        }
        policy = {
            **{"name": "x", "severity": "low", "category": self.category.pk, "ack_minutes": 1, "resolve_minutes": 1},
            **{"is_round_the_clock": False, "time_zone": "UTC", "weekdays": [0], "opens_at": "09:00"},
            **{"closes_at": "17:00", "holidays": ["2027-01-01"]},
        }
        bulk = {"ids": [one], "status": "acknowledged", "team": None, "assignee": None, "severity": "low", "note": "x"}
        return [
            ("post", "incidents/", {**incident, "attachments": []}),
            ("patch", f"incidents/{one}/", {**incident, "status": "acknowledged", "note": "x"}),
            ("post", "incidents/bulk/", bulk),
            ("post", f"incidents/{one}/timeline/", {"message": "x", "visibility": "public"}),
            ("post", f"incidents/{one}/subscribers/", {"user": self.user.pk}),
            ("delete", f"incidents/{one}/subscribers/", {"user": self.user.pk}),
            ("post", f"incidents/{one}/links/", {"kind": "caused_by", "target": str(self.link.target_id)}),
            ("delete", f"incidents/{one}/links/", {"link": self.link.pk}),
            ("post", f"timeline/{self.event.pk}/redact/", {"reason": "x"}),
            ("post", "teams/", {"name": "x", "description": "x"}),
            ("post", f"teams/{self.team.pk}/members/", {"user": self.user.pk}),
            ("post", "services/", {"name": "x", "slug": "x", "description": "x", "team": self.team.pk}),
            ("post", "categories/", {"name": "x", "slug": "x", "description": "x", "default_team": self.team.pk}),
            ("post", "sla-policies/", policy),
            ("patch", f"users/{self.member.pk}/", {"role": "reporter", "is_active": True}),
            ("patch", "auth/me/", {"name": "x", "time_zone": "UTC", "language": "en"}),
            ("post", "auth/register/", {"email": "x@example.com", "password": PASSWORD, "name": "x"}),
            ("post", "auth/token/", {"email": "x@example.com", "password": "x"}),
            ("post", "auth/token/refresh/", {"refresh": "x"}),
            ("post", "auth/password-reset/", {"email": "x@example.com"}),
            ("post", "auth/password-reset/confirm/", {"uid": "x", "token": "x", "new_password": "x"}),
            ("post", "auth/verify-email/", {"token": "x"}),
            ("post", "auth/password/", {"current_password": "x", "new_password": "x"}),
            ("post", "me/tokens/", {"name": "x", "scope": "read", "expires_at": None}),
        ]

    def send(self, method: str, path: str, body: Any, **options: Any) -> Any:
        with transaction.atomic():
            answer = getattr(self.client, method)(API + path, body, **options)
            transaction.set_rollback(True)
        return answer

    def assert_survives(self, answer: Any) -> None:
        self.assertLess(answer.status_code, 500, answer.content[:500])
        if answer.status_code >= 400:
            self.assert_problem(answer, answer.status_code)

    def test_it_survives_any_value_in_any_field(self) -> None:
        for method, path, valid in self.write_routes():
            for field in valid:
                for number, value in enumerate(hostile.VALUES):
                    with self.subTest(f"{method} {path}", field=field, number=number):
                        self.assert_survives(self.send(method, path, {**valid, field: value}))

    def test_it_survives_any_body(self) -> None:
        for method, path, _valid in self.write_routes():
            for number, body in enumerate(hostile.BODIES):
                with self.subTest(f"{method} {path}", number=number):
                    for headers in ({}, {"Idempotency-Key": f"key {number}"}):
                        answer = self.send(method, path, body, content_type="application/json", headers=headers)

                        self.assert_survives(answer)

    def test_it_survives_any_value_under_an_idempotency_key(self) -> None:
        for number, value in enumerate(hostile.VALUES):
            with self.subTest(number=number):
                headers = {"Idempotency-Key": f"key {number}"}

                self.assert_survives(self.send("post", "incidents/", {"title": "x", "team": value}, headers=headers))
        for key in ("", "x" * 300, "\xff", "a,b"):
            with self.subTest(key=key):
                answer = self.send("post", "incidents/", {"title": "x"}, headers={"Idempotency-Key": key})

                self.assert_survives(answer)

    def test_it_survives_any_query(self) -> None:
        filters = ["status", "is_open", "severity", "priority", "category", "team", "assignee", "reporter", "service"]
        filters += ["location", "source", "q", "created_after", "created_before", "breached"]
        parameters = [("incidents/", name) for name in [*filters, "cursor", "page_size", "ordering"]]
        parameters += [("metrics/sla/", "group_by"), (f"incidents/{self.incident.pk}/", "as_of"), ("users/", "q")]
        for path, name in parameters:
            for text in hostile.TEXTS:
                with self.subTest(path, name=name, text=text[:40]):
                    self.assert_survives(self.client.get(API + path, {name: text}))

    def test_it_survives_any_id_in_a_path(self) -> None:
        paths = ("incidents/{}/", "incidents/{}/timeline/", "teams/{}/", "services/{}/", "users/{}/")
        paths += ("teams/{}/members/", "attachments/{}/file/")
        for path in paths:
            for text in ("0", "-1", "9" * 18, "9" * 30, "x", "%00", "INC-", "INC-1x", "\u0661", "1%0A", "%F0%9F%92%A9"):
                with self.subTest(path, text=text):
                    answer = self.client.get(API + path.format(text))

                    self.assertIn(answer.status_code, (200, 404))
                    self.assert_survives(answer)

    def test_it_does_not_open_incidents_under_a_policy_without_end(self) -> None:
        for minutes in (2**31 - 1, 2**32 - 1, 10**15):
            with self.subTest(minutes=minutes):
                answer = self.client.patch(f"{API}sla-policies/{self.policy.pk}/", {"ack_minutes": minutes})

                self.assert_problem(answer, 400)
        self.assertEqual(self.client.post(f"{API}incidents/", {"title": "x", "severity": "high"}).status_code, 201)

    def test_it_refuses_a_half_id(self) -> None:
        answer = self.client.patch(self.path, {"team": self.team.pk + 0.5})

        self.assertEqual(self.assert_problem(answer, 400)["errors"][0]["field"], "team")


class ShapeTests(ContractCase):
    def test_it_shows_what_the_description_says(self) -> None:
        listed = self.client.get(f"{API}incidents/").json()["results"][0]
        detail = self.client.get(self.path).json()

        self.assertEqual(list(listed), list(IncidentSerializer().fields))
        self.assertEqual(list(detail), list(IncidentDetailSerializer().fields))
        self.assertEqual(list(detail["sla"]), list(IncidentSerializer().fields["sla"].fields))

    def test_it_tells_times_in_utc(self) -> None:
        created = self.client.post(
            f"{API}incidents/", {"title": "x", "occurred_at": "2026-01-01T01:00:00+01:00"}
        ).json()

        self.assertEqual(created["occurred_at"], "2026-01-01T00:00:00Z")
        for name in ("created_at", "updated_at", "occurred_at"):
            self.assertRegex(created[name], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class CostTests(ContractCase):
    """Queries, with those of authentication."""

    def count(self, method: str, path: str, body: Any = None, *, by: User | None = None) -> int:
        client = signed_in(by or self.member)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = getattr(client, method)(path, body)
            if answer.streaming:
                list(answer.streaming_content)
        self.assertLess(answer.status_code, 300, answer.content if not answer.streaming else "")
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    def test_it_lists_at_a_constant_cost(self) -> None:
        paths = [f"{API}{name}" for name in ("incidents/", "teams/", "services/", "categories/", "sla-policies/")]
        paths += [f"{API}incidents/?q=row&ordering=-severity&is_open=true&team={self.team.pk}", f"{API}users/"]
        paths += [f"{self.path}timeline/", f"{self.path}history/", f"{self.path}links/", f"{self.path}subscribers/"]
        before: dict[str, int] = {}
        for number in range(60):
            if number == 10:
                before = {path: self.count("get", path) for path in paths}
            user = make_responder()
            team = make_team(f"Team {number}", self.member, user)
            service = make_service(f"service-{number}", team=team)
            incident = make_incident(by=user, title=f"row {number}", services=[service, self.service])
            link(self.incident, incident, LinkKind.CAUSED_BY, by=self.user)
            make_category(f"category-{number}")
        for path in paths:
            with self.subTest(path):
                cost = self.count("get", path)

                self.assertEqual(cost, before[path])
                self.assertLessEqual(cost, QUERY_LIMIT_LIST)

    def test_it_shows_one_at_a_constant_cost(self) -> None:
        for number in range(50):
            comment(self.incident, f"Update {number}", by=self.member)
        together = self.count("get", self.path) + self.count("get", f"{self.path}timeline/")

        self.assertLessEqual(together, QUERY_LIMIT_DETAIL)

    def test_it_writes_at_a_bounded_cost(self) -> None:
        team = {"team": self.team.pk}
        table = [
            ("post", f"{API}incidents/", {"title": "x"}),
            ("post", f"{API}incidents/", {"title": "x", "severity": "critical", "description": "y", **team}),
            ("post", f"{API}incidents/", {"title": "x", "category": "network", "services": ["payments"]}),
            ("patch", self.path, {"status": "acknowledged"}),
            ("patch", self.path, {"status": "on_hold", "note": "Waiting"}),
            ("patch", self.path, {"status": "in_progress"}),
            ("patch", self.path, {"status": "resolved", "note": "Done"}),
            ("patch", self.path, {"status": "closed"}),
            ("patch", self.path, {"status": "open", "note": "Again"}),
        ]
        for method, path, body in table:
            with self.subTest(body=body):
                self.assertLessEqual(self.count(method, path, body), QUERY_LIMIT_WRITE)

    def test_it_counts_at_a_constant_cost(self) -> None:
        paths = [f"{API}incidents/summary/", f"{API}metrics/sla/?group_by=severity", f"{API}incidents/export/"]
        before = {path: self.count("get", path) for path in paths}
        for severity in Severity:
            for _number in range(5):
                report(by=self.user, title="x", severity=severity)

        self.assertEqual({path: self.count("get", path) for path in paths}, before)
        self.assertGreater(Incident.objects.count(), 20)
        self.assertGreater(IncidentEvent.objects.count(), 20)
