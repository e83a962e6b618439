import json
from typing import Any
from unittest import mock

from django.test import TestCase, override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from alerts.tests.factories import fire, make_key, make_source
from assistant.services import provider
from core.errors import NotSignedIn
from core.server import callers
from core.server.tests.asgi import http_scope
from incident_response.legacy.authentication import BearerPersonalToken
from incident_response.legacy.endpoints import LEGACY_LOGS
from incident_response.pages import schema
from incidents import services
from incidents.models import Incident, IncidentEvent
from incidents.services import redaction
from incidents.tests.factories import make_incident, make_service, make_team
from intake import endpoints
from intake.vocabulary import LOGS
from logs.models import LogEntry
from notifications.channels.slack.tests.fake import SECRET, FakeSlack, signed
from notifications.models import ChatRequest, Delivery, RoomChannel
from tests.people import signed_in
from users.services import create_personal_token
from users.tests.factories import make_admin, make_reporter, make_responder

ON = "incident_response.legacy.tests.urlconf"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Dest": "document"}


class LegacyTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.reporter, cls.admin = make_reporter(), make_admin()
        cls.responder, cls.outsider = make_responder(), make_responder()
        cls.team = make_team("Database", cls.responder)
        cls.database = make_service("database", team=cls.team)

    def setUp(self) -> None:
        self.enterContext(override_settings(ROOT_URLCONF=ON))
        self.api = signed_in(self.responder)

    def report(self, **fields: Any) -> dict[str, Any]:
        answer = self.api.post("/incidents", {"title": "Slow", **fields})
        self.assertEqual(answer.status_code, 201, answer.content)
        return dict(answer.json())


class SettingTests(TestCase):
    def test_it_answers_at_none_of_them_unless_asked(self) -> None:
        api = signed_in(make_admin())
        for path in ("tickets", "ticket", "tickets/1/priority", "test-slack", "webhooks/slack", "docs", "system/info"):
            with self.subTest(path):
                self.assertEqual((api.get(f"/{path}").status_code, api.post(f"/{path}").status_code)[:1], (404,))
        self.assertEqual(api.post("/test-ai").status_code, 404)

    def test_it_leaves_the_pages_as_they_were(self) -> None:
        self.client.force_login(make_admin())
        for path in ("/incidents", "/alerts", "/logs"):
            with self.subTest(path):
                without, slashed = (self.client.get(form, headers=BROWSER) for form in (path, f"{path}/"))

                self.assertEqual(without["Content-Type"], "text/html; charset=utf-8")
                self.assertEqual(
                    (without.status_code, without.headers.get("Location")),
                    (slashed.status_code, slashed.headers.get("Location")),
                )

    def test_it_is_left_out_of_the_description(self) -> None:
        schema.cache_clear()
        self.addCleanup(schema.cache_clear)
        off = set(schema()["paths"])
        schema.cache_clear()

        with override_settings(ROOT_URLCONF=ON):
            self.assertEqual(set(schema()["paths"]), off)


class BrowserTests(LegacyTestCase):
    def test_it_sends_people_to_the_page(self) -> None:
        for path, page in (
            ("/incidents", "/incidents/"),
            ("/incidents?status=open", "/incidents/?status=open"),
            ("/incidents/7", "/incidents/INC-7/"),
            ("/tickets/inc-7", "/incidents/INC-7/"),
            ("/tickets", "/incidents/"),
            ("/ticket", "/report/"),
            ("/logs", "/logs/"),
            ("/alerts", "/alerts/"),
            ("/system/info", "/system/"),
        ):
            with self.subTest(path):
                answer = self.client.get(path, headers=BROWSER)

                self.assertEqual((answer.status_code, answer["Location"]), (302, page))
                self.assertIn("Accept,", answer["Vary"])

    def test_it_answers_programs_in_json(self) -> None:
        token = self.api._credentials["HTTP_AUTHORIZATION"]
        for headers in (
            {},
            {"Accept": "*/*"},
            {"Accept": "application/json, text/plain, */*"},
            {"Accept": "application/json, text/html"},
            {**BROWSER, "Sec-Fetch-Dest": "empty"},
            {**BROWSER, "Authorization": token},
        ):
            with self.subTest(headers):
                answer = self.client.get("/incidents", headers=headers)

                is_signed_in = "Authorization" in headers
                self.assertEqual(answer.status_code, 200 if is_signed_in else 401)
                self.assertTrue(answer["Content-Type"].startswith("application/"))

    def test_it_redirects_no_write(self) -> None:
        self.assertEqual(self.client.post("/incidents", headers=BROWSER).status_code, 401)

    @override_settings(LEGACY_ROUTES=True)
    def test_it_tells_programs_of_wrong_addresses_in_json(self) -> None:
        token = {"Authorization": "Bearer x"}
        for path, headers, is_json in (
            ("/tickets/1/foo", {}, True),
            ("/test-splunk/x", {}, True),
            ("/incidents/1/x", token, True),
            ("/incidents/1/x", {}, False),  # the console's own scripts
            ("/tickets/1/foo", BROWSER, False),
            ("/nothing", token, False),
        ):
            with self.subTest(path=path, headers=headers):
                answer = self.client.get(path, headers=headers)

                self.assertEqual(answer.status_code, 404)
                self.assertEqual(answer["Content-Type"] == "application/problem+json", is_json)

    def test_it_shows_health_to_everybody_as_json(self) -> None:
        self.assertEqual(self.client.get("/health", headers=BROWSER)["Content-Type"], "application/json")

    def test_it_leads_to_the_pages_with_a_last_slash(self) -> None:
        self.client.force_login(self.admin)

        self.assertIn("text/html", self.client.get("/incidents/", headers=BROWSER)["Content-Type"])
        self.assertEqual(self.client.get("/docs/")["Location"], "/api/docs/")

    def test_it_takes_no_cookie_for_a_token(self) -> None:
        self.client.force_login(self.admin)

        self.assertEqual(self.client.post("/incidents", {"title": "Forged"}).status_code, 401)


class TokenTests(LegacyTestCase):
    def asked(self, authorization: str, method: str = "GET", body: str = "") -> Any:
        headers = {"Authorization": authorization}
        return APIClient().generic(method, "/incidents", body, "application/json", headers=headers)

    def test_it_takes_personal_tokens_as_bearer(self) -> None:
        _row, reading = create_personal_token(self.responder, name="reads", scope="read")
        _row, writing = create_personal_token(self.responder, name="writes", scope="write")
        new = json.dumps({"title": "New"})

        self.assertEqual(self.asked(f"Bearer {reading}").status_code, 200)
        self.assertEqual(self.asked(f"Token {reading}").status_code, 200)
        self.assertEqual(self.asked(f"Bearer {writing}", "POST", new).status_code, 201)
        refused = self.asked(f"Bearer {reading}", "POST", new)
        self.assertEqual((refused.status_code, refused.json()["code"]), (403, "token_read_only"))

    def test_it_refuses_others_with_a_problem(self) -> None:
        for authorization in ("Bearer nonsense", "Bearer a.b.c", "Bearer irt_unknown", "Bearer", "Basic eDp5"):
            with self.subTest(authorization):
                answer = self.asked(authorization)

                self.assertEqual(answer.status_code, 401)
                self.assertEqual(answer["Content-Type"], "application/problem+json")

    def test_it_takes_them_for_log_lines_too(self) -> None:
        _row, token = create_personal_token(self.responder, name="writes", scope="write")
        key = make_key(make_source(kind=LOGS))
        for authorization, expected in ((f"Bearer {token}", 202), (f"Bearer {key}", 202), ("Bearer nobodys", 403)):
            with self.subTest(authorization):
                answer = self.client.post(
                    "/logs", {"message": "up"}, "application/json", headers={"Authorization": authorization}
                )

                self.assertEqual(answer.status_code, expected)
        self.assertEqual(LogEntry.objects.count(), 2)


class IncidentTests(LegacyTestCase):
    def test_it_keeps_names_that_are_no_service_where_people_find_them(self) -> None:
        made = self.report(affected_systems=["Database", "legacy-erp", "legacy-erp", " "])
        incident = Incident.objects.get(pk=made["id"])

        self.assertEqual(made["affected_systems"], ["database", "legacy-erp"])
        self.assertEqual(made["unknown_systems"], ["legacy-erp"])
        self.assertEqual((made["description"], made["team"]), ("", self.team.pk))
        self.assertEqual(incident.description, "Labels of the report:\n- affected system: legacy-erp")
        found = self.api.get("/api/v1/incidents/?q=erp").json()["results"]
        self.assertEqual([one["id"] for one in found], [made["id"]])

    def test_it_takes_a_retired_service_for_an_unknown_name(self) -> None:
        make_service("mainframe")
        type(self.database).objects.filter(slug="mainframe").update(is_active=False)

        self.assertEqual(self.report(affected_systems="mainframe, database")["unknown_systems"], ["mainframe"])

    def test_it_refuses_systems_that_are_no_names(self) -> None:
        for value in (7, {"a": 1}, [7], ["x" * 101], ["x"] * 51, ["a\0b"]):
            with self.subTest(value=value):
                answer = self.api.post("/incidents", {"title": "Slow", "affected_systems": value})

                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "affected_systems"))

    def test_it_changes_what_is_sent_and_nothing_else(self) -> None:
        made = self.report(description="Since noon", affected_systems=["api"], tags=["eu"], severity="HIGH")
        path = f"/incidents/{made['reference']}"

        for change, expected in (
            ({"title": "Slower"}, {"title": "Slower", "description": "Since noon", "tags": ["eu"]}),
            ({"description": "Since ten"}, {"description": "Since ten", "unknown_systems": ["api"], "tags": ["eu"]}),
            ({"tags": []}, {"description": "Since ten", "unknown_systems": ["api"], "tags": []}),
            ({"affected_systems": ["database"]}, {"affected_systems": ["database"], "unknown_systems": []}),
            ({"assigned_user": self.responder.name}, {"assigned_user": self.responder.name, "severity": "HIGH"}),
            ({"assigned_team": "Database"}, {"assigned_team": "Database"}),
            ({"assigned_team": None, "assigned_user": None}, {"assigned_team": None, "assigned_user": None}),
        ):
            with self.subTest(change):
                answer = self.api.put(path, change)

                self.assertEqual(answer.status_code, 200, answer.content)
                self.assertLessEqual(expected.items(), answer.json().items())

    def test_it_leaves_no_event_of_the_description_where_it_is_not_changed(self) -> None:
        made = self.report(description="Since noon", affected_systems=["api"])

        self.api.put(f"/incidents/{made['id']}", {"severity": "LOW"})

        kinds = list(IncidentEvent.objects.filter(incident=made["id"]).values_list("kind", flat=True))
        self.assertEqual(kinds, ["created", "severity_changed"])

    def test_it_walks_the_lifecycle_as_the_api_does(self) -> None:
        path = f"/incidents/{self.report()['id']}"
        refused = self.api.put(path, {"status": "CLOSED"})
        words = ["IN_PROGRESS", "RESOLVED", "CLOSED"]
        walked = [self.api.put(path, {"status": word}).json()["status"] for word in words]
        unexplained = self.api.put(path, {"status": "OPEN"})
        reopened = self.api.put(path, {"status": "OPEN", "note": "It came back"})

        self.assertEqual((refused.status_code, refused.json()["code"]), (409, "invalid_transition"))
        self.assertEqual(walked, words)
        self.assertEqual(unexplained.status_code, 400)
        self.assertEqual((reopened.status_code, reopened.json()["reopen_count"]), (200, 1))

    def test_it_opens_nothing_in_another_status(self) -> None:
        self.assertEqual(self.report(status="OPEN")["status"], "OPEN")
        self.assertEqual(self.api.post("/incidents", {"title": "Slow", "status": "CLOSED"}).status_code, 400)

    def test_it_gives_the_first_answer_again(self) -> None:
        body, headers = {"title": "Once", "affected_systems": ["api"]}, {"Idempotency-Key": "once"}
        first = self.api.post("/incidents", body, headers=headers)
        make_service("api")
        again = self.api.post("/incidents", body, headers=headers)

        self.assertEqual((again.status_code, again.json()), (201, first.json()))
        self.assertEqual((again["Idempotent-Replayed"], Incident.objects.count()), ("true", 1))

    def test_it_keeps_redacted_labels_nowhere(self) -> None:
        headers = {"Idempotency-Key": "leak"}
        body = {"title": "Slow", "description": "My word", "affected_systems": ["s3cret-host"], "tags": ["hunter2"]}
        made = self.api.post("/incidents", body, headers=headers).json()
        event = IncidentEvent.objects.get(incident=made["id"])

        redaction.redact(event, by=self.admin)

        for said in (self.api.post("/incidents", body, headers=headers), self.api.get(f"/incidents/{made['id']}")):
            for leaked in (b"s3cret-host", b"hunter2", b"My word"):
                self.assertNotIn(leaked, said.content)

    def test_it_repeats_a_change_that_another_write_overtook(self) -> None:
        made = self.report(description="Since noon", affected_systems=["api"])
        update, others = services.update, ["By somebody else"]

        def overtaken(number: int, **how: Any) -> Incident:
            if others:
                update(number, by=self.admin, fields={"description": others.pop()})
            return update(number, **how)

        with mock.patch.object(services, "update", overtaken):
            answer = self.api.put(f"/incidents/{made['id']}", {"tags": ["eu"]})

        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertLessEqual({"description": "By somebody else", "tags": ["eu"]}.items(), answer.json().items())

    def test_it_honours_if_match(self) -> None:
        made = self.report()
        headers = {"If-Match": f'"{made["version"] + 1}"'}

        self.assertEqual(self.api.put(f"/incidents/{made['id']}", {"tags": ["a"]}, headers=headers).status_code, 412)

    def test_it_tells_reporters_of_nobody_by_name(self) -> None:
        api = signed_in(self.reporter)
        mine = api.post("/incidents", {"title": "Mine"}).json()["id"]
        for name in (self.responder.name, "Nobody at all", str(self.responder.pk), "999999"):
            for answer in (
                api.put(f"/incidents/{mine}", {"assigned_user": name}),
                api.patch(f"/tickets/{mine}", {"assigned_to": name}),
                api.post("/ticket", {"title": "Mine", "assigned_to": name}),
            ):
                with self.subTest(name):
                    self.assertEqual((answer.status_code, answer.json()["code"]), (403, "permission_denied"))

    def test_it_hides_what_the_api_hides(self) -> None:
        hidden = make_incident(by=self.reporter)
        Incident.objects.filter(pk=hidden.pk).update(is_restricted=True, team=self.team)
        outside, path = signed_in(self.outsider), f"/incidents/{hidden.pk}"

        listed = outside.get("/incidents").json()

        self.assertEqual((listed["incidents"], listed["total"]), ([], 0))
        for answer in (outside.get(path), outside.put(path, {"status": "NONSENSE"}), outside.get("/incidents/x")):
            self.assertEqual((answer.status_code, answer.json()["code"]), (404, "not_found"))

    def test_it_lists_page_by_page(self) -> None:
        for number in range(3):
            self.report(title=f"Number {number}", severity="HIGH")
        self.report(severity="LOW")

        first = self.api.get("/incidents?limit=2&severity=HIGH&page=1").json()
        second = self.api.get(first["next"]).json()

        self.assertEqual([len(page["incidents"]) for page in (first, second)], [2, 1])
        self.assertEqual([(page["total"], page["has_next"]) for page in (first, second)], [(3, True), (3, False)])
        self.assertEqual(first["incidents"], first["results"])

    def test_it_finds_those_of_a_team_by_its_name(self) -> None:
        self.report(affected_systems=["database"])
        self.report()

        self.assertEqual(self.api.get("/incidents?assigned_team=Database").json()["total"], 1)
        self.assertEqual(self.api.get("/incidents?assigned_team=Nobody").status_code, 400)
        for query in ("page=2", "limit=0", "limit=9999", "severity=SEV1", "status=DONE", "colour=red"):
            with self.subTest(query):
                self.assertEqual(self.api.get(f"/incidents?{query}").status_code, 400)

    def test_it_takes_forms(self) -> None:
        answer = self.api.post(
            "/incidents",
            "title=Slow&severity=HIGH&affected_systems=database&affected_systems=api",
            content_type="application/x-www-form-urlencoded",
        )

        self.assertEqual((answer.status_code, answer.json()["affected_systems"]), (201, ["database", "api"]))

    def test_it_refuses_bodies_that_are_no_object(self) -> None:
        path = f"/incidents/{self.report()['id']}"
        for body in ("[]", "7", "null", '"x"', "{"):
            with self.subTest(body):
                for method, address in (("POST", "/incidents"), ("PUT", path), ("POST", "/ticket")):
                    answer = self.api.generic(method, address, body, "application/json")

                    self.assertEqual(answer.status_code, 400, answer.content)


class TicketTests(LegacyTestCase):
    def test_it_takes_a_reporters_priority_for_the_severity(self) -> None:
        made = signed_in(self.reporter).post("/ticket", {"title": "Fire", "priority": "HIGH"}).json()
        numbered = signed_in(self.reporter).post("/ticket", {"title": "Fire", "priority": "P1"})
        by_staff = self.api.post("/ticket", {"title": "Fire", "priority": "P1"}).json()

        self.assertEqual((made["severity"], made["priority"]), ("HIGH", "HIGH"))
        self.assertEqual(numbered.status_code, 403)
        self.assertEqual((by_staff["severity"], by_staff["priority"]), ("MEDIUM", "CRITICAL"))

    def test_it_sets_a_priority_and_nothing_else(self) -> None:
        path = f"/tickets/{self.report()['id']}/priority"
        for body, status in (
            ({"priority": "LOW"}, 200),
            ({"priority": "p1"}, 200),
            ({"priority": "SOON"}, 400),
            ({}, 400),
            ({"priority": "LOW", "title": "x"}, 400),
            ([], 400),
        ):
            with self.subTest(body=body):
                said = self.api.patch(path, body)
                self.assertEqual(said.status_code, status, said.content)

    def test_it_says_what_a_ticket_takes(self) -> None:
        form = self.api.get("/ticket").json()

        self.assertEqual((form["required"], form["affected_systems"]), (["title"], ["database"]))
        self.assertEqual(self.api.post("/ticket", dict.fromkeys(("title", "severity"), "LOW")).status_code, 201)
        self.assertEqual(self.api.get("/ticket?id=999999").status_code, 404)


class SlackTests(LegacyTestCase):
    def test_it_hands_buttons_and_the_command_on(self) -> None:
        slack = FakeSlack()
        self.addCleanup(slack.stop)
        form = "application/x-www-form-urlencoded"
        press = slack.press("U0ADA00001", "incident.acknowledge", "1042")
        command = b"command=%2Fincident&text=help&user_id=U0ADA00001&team_id=T0TEAM0001"
        found = []

        with override_settings(SLACK_SIGNING_SECRET=SECRET):
            for body in (press, command):
                sent = {name: value for name, value in signed(body).items() if name != "Content-Type"}
                found.append(self.client.post("/webhooks/slack", body, content_type=form, headers=sent))
            unsigned = self.client.post("/webhooks/slack", press, content_type=form)

        self.assertEqual([answer.status_code for answer in found], [200, 200])
        self.assertEqual(ChatRequest.objects.get().action, "acknowledge")
        self.assertEqual(found[1].json()["response_type"], "ephemeral")
        self.assertEqual((unsigned.status_code, unsigned.json()["code"]), (403, "signature_invalid"))

    def test_it_queues_a_message_for_each_channel(self) -> None:
        rooms = [RoomChannel.objects.create(name=name, kind="slack", address=f"#{name}") for name in ("ops", "dev")]
        RoomChannel.objects.create(name="mail", kind="email", address="ops@example.org")
        RoomChannel.objects.filter(name="dev").update(is_enabled=False)

        answer = signed_in(self.admin).post("/test-slack").json()

        self.assertEqual((answer["status"], answer["slack_sent"], len(answer["channels"])), ("error", True, 2))
        self.assertEqual(list(Delivery.objects.values_list("room", flat=True)), [rooms[0].pk])


class OtherTests(LegacyTestCase):
    def test_it_writes_alerts_and_lines_in_capitals(self) -> None:
        fire(make_source(), "disk")
        self.api.post("/logs", {"message": "down", "level": "ERROR"})

        [alert], [line] = self.api.get("/alerts").json()["alerts"], self.api.get("/logs").json()["logs"]

        self.assertEqual((alert["status"], line["level"]), ("FIRING", "ERROR"))
        self.assertTrue(alert["severity"].isupper())

    def test_it_takes_a_limit_for_every_list(self) -> None:
        source = make_source()
        for name in ("a", "b", "c"):
            fire(source, name)
            self.api.post("/logs", {"message": name, "level": "ERROR"})

        sizes = {path: len(self.api.get(f"{path}?limit=2").json()["results"]) for path in ("/logs", "/alerts")}
        refused = {self.api.get(f"{path}?limit=0").status_code for path in ("/logs", "/alerts")}

        self.assertEqual((sizes, refused), ({"/logs": 2, "/alerts": 2}, {400}))

    def test_it_shows_metrics_to_administrators_and_to_the_scraper(self) -> None:
        for token, asked, status in (
            ("", self.admin, 200),
            ("scraper", self.admin, 200),
            ("", self.responder, 403),
            ("", None, 401),
        ):
            with self.subTest(token=token, asked=asked), override_settings(METRICS_TOKEN=token):
                client = signed_in(asked) if asked else APIClient()
                self.assertEqual(client.get("/metrics").status_code, status)
        with override_settings(METRICS_TOKEN="scraper"):
            scraped = APIClient().get("/metrics", headers={"Authorization": "Bearer scraper"})
            refused = APIClient().get("/metrics", headers={"Authorization": "Bearer another"})

        self.assertIn("incident_response_info", scraped.content.decode())
        self.assertEqual(refused.status_code, 401)

    def test_it_refuses_simulations_it_does_not_know(self) -> None:
        api = signed_in(self.admin)
        for body, said in (({"type": "meteor"}, "meteor"), ({"severity": "SEV1"}, "CRITICAL"), ([], "Invalid")):
            with self.subTest(body=body):
                answer = api.post("/simulate-incident", body)

                self.assertEqual(answer.status_code, 400)
                self.assertIn(said, answer.json()["detail"])

    def test_it_says_whether_a_model_may_be_asked(self) -> None:
        api, found = signed_in(self.admin), []
        with override_settings(
            ASSISTANT_PROVIDER="openai", ASSISTANT_MODEL="local", ASSISTANT_URL="http://127.0.0.1:1"
        ):
            found.append(api.post("/test-ai").json())
            for _number in range(provider.FAILURES):
                provider.failed("overloaded (529)", timezone.now())
            found.append(api.post("/test-ai").json())
            provider.set_enabled(False)
            found.append(api.post("/test-ai").json())

        self.assertEqual([one["status"] for one in found], ["success", "error", "error"])
        self.assertEqual([one["ai_available"] for one in found], [True, False, False])
        self.assertEqual((found[0]["model"], found[1]["last_failure"]), ("local", "overloaded (529)"))
        self.assertIn("paused", found[1]["message"])

    def test_it_receives_lines_as_other_senders_lines(self) -> None:
        with mock.patch("intake.endpoints._routes", [*endpoints._routes]):
            endpoints.register_endpoints(LEGACY_LOGS)
            _row, token = create_personal_token(self.responder, name="writes", scope="write")
            with override_settings(SECURE_SSL_REDIRECT=True):
                answer = self.client.post(
                    "/logs", {"message": "up"}, "application/json", headers={"Authorization": f"Bearer {token}"}
                )

            self.assertNotIn("logs", endpoints.first_parts())
        self.assertEqual((answer.status_code, answer.json()), (202, {"accepted": 1, "rejected": 0}))

    def test_it_admits_large_bodies_with_a_personal_token(self) -> None:
        _row, token = create_personal_token(self.responder, name="writes", scope="write")
        self.enterContext(mock.patch.object(callers, "close_old_connections"))  # it would end the test's transaction
        scope = {**http_scope("/incidents", "POST"), "headers": [(b"authorization", f"Bearer {token}".encode())]}

        with self.assertRaises(NotSignedIn):
            callers.signed_in(scope)
        with mock.patch.object(callers, "more_methods", [BearerPersonalToken]):
            self.assertEqual(callers.signed_in(scope), f"user {self.responder.pk}")
