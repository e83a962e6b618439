"""Opsgenie's API, as its clients speak it."""

import datetime as dt
import json
from typing import Any
from unittest import mock
from urllib.parse import quote

from django.test import TestCase, override_settings
from django.utils import timezone

from alerts.endpoints import named
from alerts.models import Alert, Heartbeat
from alerts.services import process_waiting
from alerts.services.heartbeats import watch
from alerts.tests.factories import fire, make_key, make_route, make_silence, make_source, said
from incidents.models import Incident
from intake.endpoints import find
from intake.limits import RateCounter
from intake.models import IntakeEvent
from intake.readers import kinds
from intake.requests import MAX_BYTES
from intake.vocabulary import IntakeState

ALIAS = "db-3/disk Zürich+ДИСК 満杯?"
ADDRESS = "/v2/alerts"


class OpsgenieTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.source = make_source(kind="opsgenie")
        cls.key = make_key(cls.source)

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Any:
        headers["Authorization"] = f"GenieKey {self.key if key is None else key}"
        data = json.dumps(body) if body is not None else ""
        return self.client.generic(method, path, data=data, content_type="application/json", headers=headers)

    def create(self, alias: str = "disk", **body: Any) -> Any:
        return self.ask("POST", ADDRESS, {"message": "Disk is full", "alias": alias, **body})

    def act(self, action: str, alias: str = "disk", body: Any = None, method: str = "POST", more: str = "") -> Any:
        return self.ask(method, f"{path_of(alias)}/{action}?identifierType=alias{more}", body)

    def outcome(self, response: Any) -> Any:
        """What is said of a request when it was worked off."""
        process_waiting()
        return self.ask("GET", f"{ADDRESS}/requests/{response.json()['requestId']}").json()["data"]

    def notes(self) -> list[str]:
        process_waiting()
        comments = Incident.objects.get().events.filter(kind="comment").order_by("seq")
        return [said(comment) for comment in comments]


def path_of(alias: str) -> str:
    return f"{ADDRESS}/{quote(alias, safe='')}"


class CreateTests(OpsgenieTestCase):
    def test_it_opens_an_incident(self):
        response = self.create(priority="P1", description="No space is left.", tags=["env:prod"])
        process_waiting()

        self.assertEqual(response.status_code, 202)
        self.assertEqual(set(response.json()), {"result", "took", "requestId"})
        self.assertEqual(response.json()["result"], "Request will be processed")
        incident = Incident.objects.get()
        self.assertEqual((incident.title, incident.severity), ("Disk is full", 4))
        self.assertEqual(Alert.objects.get().labels["env"], "prod")

    def test_it_takes_the_path_with_and_without_its_last_slash(self):
        for path in (ADDRESS, f"{ADDRESS}/"):
            self.assertEqual(self.ask("POST", path, {"message": "a", "alias": "a"}).status_code, 202)

    def test_it_counts_the_same_alias_as_a_repeat(self):
        for _ in range(3):
            self.create()
        process_waiting()

        self.assertEqual((Incident.objects.count(), Alert.objects.get().occurrences), (1, 3))

    def test_it_makes_an_alias_where_there_is_none(self):
        first, second = (self.ask("POST", ADDRESS, {"message": "Disk is full"}) for _ in range(2))

        aliases = {self.outcome(first)["alias"], self.outcome(second)["alias"]}
        self.assertEqual(aliases, set(Alert.objects.values_list("fingerprint", flat=True)))
        self.assertEqual(Incident.objects.count(), 2)

    def test_it_takes_a_source_of_another_kind_that_is_allowed_to(self):
        key = make_key(make_source(kind="generic", allow_other_endpoints=True))

        self.ask("POST", ADDRESS, {"message": "Disk is full"}, key=key)
        process_waiting()

        self.assertEqual(Incident.objects.get().title, "Disk is full")

    def test_it_refuses_in_opsgenies_manner(self):
        body = {"message": "Disk is full"}
        cases = [
            (self.ask("POST", ADDRESS, body, key=""), 401),
            (self.client.post(ADDRESS, body, content_type="application/json"), 401),
            (self.ask("POST", ADDRESS, body, key="x" * 32), 403),
            (self.ask("POST", ADDRESS, {}), 422),
            (self.ask("POST", ADDRESS, [body]), 400),
        ]

        for response, status in cases:
            with self.subTest(status=status):
                self.assertEqual(response.status_code, status)
                self.assertEqual(set(response.json()), {"message", "took", "requestId"})
                self.assertTrue(response.json()["message"].endswith("."))
        self.assertEqual(IntakeEvent.objects.filter(state=IntakeState.FAILED).count(), 2)  # of those with a key

    def test_it_refuses_what_is_no_json(self):
        for body in (b"", b"{", b"\xff", b"message=x"):
            response = self.client.generic(
                "POST", ADDRESS, body, "application/json", headers={"Authorization": f"GenieKey {self.key}"}
            )

            self.assertEqual(response.status_code, 400)

    def test_it_refuses_what_is_too_large(self):
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=2 * MAX_BYTES):
            self.assertEqual(self.create(description="x" * MAX_BYTES).status_code, 413)

    def test_it_says_when_to_come_back(self):
        key = make_key(make_source(kind="opsgenie", rate_limit=1))

        with mock.patch("intake.limits.rate_counter", RateCounter()):
            answers = [self.ask("POST", ADDRESS, {"message": "a"}, key=key) for _ in range(2)]

        self.assertEqual([answer.status_code for answer in answers], [202, 429])
        self.assertEqual(answers[1]["X-RateLimit-State"], "THROTTLED")
        self.assertIn("Retry-After", answers[1])

    def test_it_takes_any_accept_header(self):
        response = self.ask("POST", ADDRESS, {"message": "a"}, Accept="application/vnd.opsgenie+xml")

        self.assertEqual((response.status_code, response["Content-Type"]), (202, "application/json"))


class ActionTests(OpsgenieTestCase):
    def test_it_acknowledges_and_closes(self):
        self.create()
        acknowledged = self.act("acknowledge", body={"user": "a\u202enn\n", "note": "On it"})
        process_waiting()
        between = Incident.objects.get()
        closed = self.act("close", body={"user": "ann", "note": "Cleaned up"})

        self.assertEqual(self.notes(), ["ann: Cleaned up"])
        self.assertEqual((acknowledged.status_code, closed.status_code), (202, 202))
        self.assertEqual((between.status, Incident.objects.get().status), ("acknowledged", "resolved"))
        self.assertEqual(said(between.events.get(kind="acknowledged")), "ann: On it")

    def test_it_finds_the_alert_by_id_alias_and_tiny_id(self):
        for identifier in ("id", "alias", "tiny"):
            self.create(identifier)
            process_waiting()
            alert = Alert.objects.get(fingerprint=identifier)
            name = {"id": alert.key, "alias": identifier, "tiny": str(alert.pk)}[identifier]

            self.ask("POST", f"{ADDRESS}/{name}/close?identifierType={identifier}", {})
            process_waiting()
            alert.refresh_from_db()

            self.assertEqual(alert.status, "resolved")

    def test_it_takes_an_id_where_nothing_is_said(self):
        self.create()
        process_waiting()

        self.ask("POST", f"{ADDRESS}/{Alert.objects.get().key}/close/", {})
        process_waiting()

        self.assertEqual(Incident.objects.get().status, "resolved")

    def test_it_takes_an_alias_with_slashes_and_other_alphabets(self):
        for alias in (ALIAS, "a/close", "a/acknowledge/b", "requests/a", "ends/"):
            with self.subTest(alias=alias):
                self.create(alias)
                self.act("close", alias)
                process_waiting()

                self.assertEqual(Alert.objects.get(fingerprint=alias).status, "resolved")

    def test_it_changes_nothing_when_it_is_closed_before_it_was_made(self):
        closed = self.act("close")
        self.create()
        outcome = self.outcome(closed)

        self.assertEqual(closed.status_code, 202)
        self.assertFalse(outcome["isSuccess"])
        self.assertEqual(Incident.objects.get().status, "open")

    def test_it_writes_notes_on_the_timeline(self):
        self.create()
        self.act("notes", body={"note": "Looks like the logs", "user": "ann"})
        self.act("notes/", body={"note": "Indeed", "source": "script"})

        self.assertEqual(self.notes(), ["ann: Looks like the logs", "script: Indeed"])

    def test_it_tells_the_timeline_of_what_it_does_not_do_itself(self):
        self.create()
        self.act("unacknowledge", body={"user": "ann"})
        self.act("snooze", body={"endTime": "2026-11-21T10:00:00Z", "note": "Later"})
        self.act("escalate", body={"escalation": {"name": "Night"}})
        self.act("assign", body={"owner": {"username": "bob@example.com"}})
        self.act("responders", body={"responder": {"type": "team", "name": "Storage"}})
        self.act("teams", body={"team": {"name": "Storage"}})
        self.act("tags", body={"tags": ["a", "b"]})
        self.act("tags", method="DELETE", more="&tags=a,b&user=bob")
        self.act("details", body={"details": {"k": "v", "l": "w"}})
        self.act("details", method="DELETE", more="&keys=k,l")
        self.act("priority", body={"priority": "P1"}, method="PUT")
        self.act("message", body={"message": "Still full"}, method="PUT")
        self.act("description", body={"description": "Very"}, method="PUT")
        self.act("actions/Restart%20it")

        expected = [
            "ann: The acknowledgement was taken back",
            "Snoozed until 2026-11-21T10:00:00Z. Later",
            "Escalated to Night",
            "Assigned to bob@example.com",
            "Responder added: Storage",
            "Team added: Storage",
            "Tags added: a, b",
            "bob: Tags removed: a,b",
            "Details added: k = v, l = w",
            "Details removed: k,l",
            "Priority changed to P1",
            "Message changed to Still full",
            "Description changed to Very",
            "Action run: Restart it",
        ]
        self.assertEqual(self.notes(), expected)

    def test_it_resolves_what_is_deleted_and_keeps_it(self):
        self.create()

        response = self.ask("DELETE", f"{path_of('disk')}?identifierType=alias&user=ann&note=Noise")

        self.assertEqual((response.status_code, self.notes()), (202, ["ann: Noise"]))
        self.assertEqual(Incident.objects.get().status, "resolved")
        self.assertEqual(Alert.objects.get().status, "resolved")

    def test_it_refuses_what_it_does_not_know(self):
        cases = [
            (self.act("dance"), 404),
            (self.ask("POST", f"{ADDRESS}/disk", {}), 404),
            (self.act("priority", method="PUT", body=[]), 400),
            (self.act("notes", body={"note": ""}), 422),
            (self.ask("POST", f"{ADDRESS}/disk/close?identifierType=name", {}), 422),
        ]

        self.assertEqual([response.status_code for response, _ in cases], [status for _, status in cases])

    def test_it_refuses_strangers(self):
        self.create()

        for key, status in (("", 401), ("x" * 32, 403)):
            for method, path in (
                ("POST", "/disk/close?identifierType=alias"),
                ("DELETE", "/disk?identifierType=alias"),
                ("GET", "/disk?identifierType=alias"),
                ("GET", ""),
                ("GET", "/requests/x"),
            ):
                self.assertEqual(self.ask(method, ADDRESS + path, key=key).status_code, status)

    def test_it_reaches_no_alert_of_another_source(self):
        alert = fire(make_source(), "disk")

        for identifier, name in (("id", alert.key), ("tiny", str(alert.pk)), ("alias", "disk")):
            closed = self.ask("POST", f"{ADDRESS}/{name}/close?identifierType={identifier}", {})
            seen = self.ask("GET", f"{ADDRESS}/{name}?identifierType={identifier}")

            self.assertEqual((closed.status_code, seen.status_code), (202, 404))
            self.assertEqual(self.outcome(closed)["status"], "Alert does not exist")
        alert.refresh_from_db()
        self.assertEqual(alert.status, "firing")


class ReadingTests(OpsgenieTestCase):
    def test_it_shows_an_alert(self):
        self.create(ALIAS, priority="P2", entity="db-3", source="cron", details={"k": "v"}, description="Full.")
        process_waiting()
        self.act("acknowledge", ALIAS)
        process_waiting()

        response = self.ask("GET", f"{path_of(ALIAS)}?identifierType=alias")

        self.assertEqual((response.status_code, set(response.json())), (200, {"data", "took", "requestId"}))
        data, alert = response.json()["data"], Alert.objects.get()
        self.assertEqual((data["id"], data["tinyId"], data["alias"]), (alert.key, str(alert.pk), ALIAS))
        self.assertEqual((data["message"], data["status"], data["acknowledged"]), ("Disk is full", "open", True))
        self.assertEqual((data["priority"], data["entity"], data["source"]), ("P2", "db-3", "cron"))
        self.assertEqual((data["details"]["k"], data["description"], data["count"]), ("v", "Full.", 1))
        self.assertRegex(data["createdAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_it_tells_an_alias_that_ends_with_a_slash_from_a_path_that_does(self):
        address = "https://example.com/"
        self.create(address)
        self.create("plain")
        process_waiting()

        for name, alias in ((address, address), ("plain", "plain")):
            path = f"{path_of(name)}{'' if name == address else '/'}?identifierType=alias"
            self.assertEqual(self.ask("GET", path).json()["data"]["alias"], alias)
            self.assertTrue(self.outcome(self.ask("DELETE", path))["isSuccess"])

    def test_it_answers_404_for_what_is_not_there(self):
        for name in ("x", "9" * 40, "²", "17", "x/notes", "requests/x"):
            for identifier in ("id", "alias", "tiny"):
                response = self.ask("GET", f"{path_of(name)}?identifierType={identifier}")

                self.assertEqual(response.status_code, 404, name)

    def test_it_lists_alerts_newest_first(self):
        fire(make_source(), "elsewhere")
        for alias in ("a", "b", "c"):
            self.create(alias)
        self.act("close", "b")
        process_waiting()

        def listed(query: str = "") -> list[str]:
            return [alert["alias"] for alert in self.ask("GET", f"{ADDRESS}?{query}").json()["data"]]

        self.assertEqual(listed(), ["c", "b", "a"])
        self.assertEqual(listed("limit=1&offset=1"), ["b"])
        self.assertEqual(listed("query=status%3A%20open"), ["c", "a"])
        self.assertEqual(listed("query=status%3Aclosed%20AND%20alias%3A%22b%22"), ["b"])
        self.assertEqual(listed("query=alias%3Ax"), [])

    def test_it_lists_in_as_many_queries_whatever_there_is(self):
        self.create("a")
        process_waiting()
        self.ask("GET", ADDRESS)
        for number in range(10):
            self.create(str(number))
        process_waiting()

        with self.assertNumQueries(1):
            found = self.ask("GET", f"{ADDRESS}/").json()["data"]

        self.assertEqual(len(found), 11)

    def test_it_refuses_a_search_that_it_does_not_understand(self):
        for query in ("query=tag%3Aa", "query=status%3Asnoozed", "limit=x", "offset=-1"):
            self.assertEqual(self.ask("GET", f"{ADDRESS}?{query}").status_code, 422, query)
        self.assertFalse(IntakeEvent.objects.exists())


class ConfidentialityTests(OpsgenieTestCase):
    READS = ("", "/disk?identifierType=alias", "/requests/x")

    def test_it_answers_reads_of_no_other_kind_even_where_it_takes_what_they_send(self):
        for kind in dict(kinds()):
            source = make_source(kind=kind, allow_other_endpoints=True)
            fire(source, "disk")
            key = make_key(source)
            with self.subTest(kind=kind):
                answers = [self.ask("GET", ADDRESS + path, key=key) for path in self.READS]
                answers.append(self.ask("GET", "/v2/heartbeats/backup", key=key))

                statuses = [answer.status_code for answer in answers]
                self.assertEqual(statuses, [200, 200, 404, 404] if kind == "opsgenie" else [403] * 4)

    def test_it_tells_nothing_that_people_did_in_a_restricted_incident(self):
        self.create()
        self.create("open")
        process_waiting()
        seen = Alert.objects.get(fingerprint="disk")
        silence = make_silence(("alias", "=", "disk"))
        Alert.objects.filter(pk=seen.pk).update(silenced_by=silence)
        Incident.objects.filter(pk=seen.incident_id).update(is_restricted=True, status="in_progress")

        listed = self.ask("GET", ADDRESS).json()["data"]
        alone = self.ask("GET", f"{path_of('disk')}?identifierType=alias").json()["data"]

        for told in (listed[1], alone):
            self.assertEqual((told["message"], told["status"]), ("Disk is full", "open"))
            self.assertEqual((told["acknowledged"], told["isSeen"], told["snoozed"]), (False, False, False))

    def test_it_lists_only_what_the_source_sent_itself(self):
        self.create()
        self.ask("POST", "/v2/heartbeats/backup/ping")
        Heartbeat.objects.update(last_ping_at=timezone.now() - dt.timedelta(hours=1))
        watch(timezone.now())
        process_waiting()
        raised = Alert.objects.get(fingerprint="heartbeat:backup")

        listed = self.ask("GET", ADDRESS).json()["data"]

        self.assertEqual([one["alias"] for one in listed], ["disk"])
        self.assertEqual(self.ask("GET", f"{ADDRESS}/{raised.key}").status_code, 404)


class RequestTests(OpsgenieTestCase):
    def test_it_says_404_until_the_request_was_worked_off(self):
        number = self.create().json()["requestId"]
        path = f"{ADDRESS}/requests/{number}"

        early = self.ask("GET", path)
        process_waiting()
        late = self.ask("GET", f"{path}/")

        self.assertEqual((early.status_code, late.status_code), (404, 200))
        data, alert = late.json()["data"], Alert.objects.get()
        self.assertEqual((data["success"], data["isSuccess"], data["action"]), (True, True, "Create"))
        self.assertEqual((data["status"], data["alertId"], data["alias"]), ("Created alert", alert.key, "disk"))

    def test_it_says_what_an_action_came_to(self):
        self.create()
        done = [self.outcome(self.act(action, body={"note": "x"})) for action in ("acknowledge", "notes", "close")]
        again = self.outcome(self.act("close"))
        unknown = self.outcome(self.ask("POST", f"{ADDRESS}/nobody/close", {}))

        self.assertEqual([one["action"] for one in done], ["Acknowledge", "AddNote", "Close"])
        self.assertEqual([one["isSuccess"] for one in done], [True] * 3)
        self.assertEqual((again["isSuccess"], unknown["isSuccess"]), (False, False))
        self.assertEqual((unknown["status"], unknown["alertId"]), ("Alert does not exist", ""))

    def test_it_says_when_a_route_drops_it(self):
        make_route(is_drop=True)

        outcome = self.outcome(self.create())

        self.assertEqual((outcome["isSuccess"], outcome["status"]), (False, "Dropped by a route."))

    def test_it_counts_a_silenced_alert_as_made(self):
        make_silence(("source", "=", self.source.name))

        outcome = self.outcome(self.create())

        self.assertTrue(outcome["isSuccess"])
        self.assertTrue(self.ask("GET", f"{ADDRESS}/{outcome['alertId']}").json()["data"]["snoozed"])

    def test_it_tells_no_other_source_of_it(self):
        number = self.create().json()["requestId"]
        process_waiting()

        other = make_source(kind="opsgenie")
        response = self.ask("GET", f"{ADDRESS}/requests/{number}", key=make_key(other))

        self.assertEqual(response.status_code, 404)


class HeartbeatTests(OpsgenieTestCase):
    def test_it_takes_a_ping_by_every_method(self):
        for method in ("GET", "POST", "PUT", "PATCH"):
            for name in ("backup", "night/backup Zürich"):
                for end in ("ping", "ping/"):
                    response = self.ask(method, f"/v2/heartbeats/{quote(name, safe='')}/{end}")

                    self.assertEqual(response.status_code, 202)
                    self.assertEqual(response.json()["result"], "PONG - Heartbeat received")
        names = set(Heartbeat.objects.filter(source=self.source).values_list("name", flat=True))
        self.assertEqual(names, {"backup", "night/backup Zürich"})

    def test_it_ends_the_alert_of_its_absence(self):
        self.ask("POST", "/v2/heartbeats/backup/ping")
        Heartbeat.objects.update(last_ping_at=timezone.now() - dt.timedelta(hours=1))
        watch(timezone.now())
        process_waiting()
        expired = self.ask("GET", "/v2/heartbeats/backup").json()["data"]["expired"]

        self.ask("POST", "/v2/heartbeats/backup/ping")
        process_waiting()

        data = self.ask("GET", "/v2/heartbeats/backup/").json()["data"]
        self.assertEqual((expired, data["expired"]), (True, False))
        self.assertEqual((data["name"], data["interval"], data["intervalUnit"]), ("backup", 10, "minutes"))
        self.assertEqual(Incident.objects.get().status, "resolved")

    def test_it_takes_the_key_from_the_query_of_a_ping(self):
        response = self.client.get(f"/v2/heartbeats/backup/ping?apiKey={self.key}")

        self.assertEqual((response.status_code, Heartbeat.objects.get().source), (202, self.source))

    def test_it_refuses_names_that_are_too_long_and_keeps_no_key(self):
        response = self.client.get(f"/v2/heartbeats/{'x' * 101}/ping?apiKey={self.key}")

        self.assertEqual((response.status_code, IntakeEvent.objects.count()), (422, 0))

    def test_it_keeps_no_key_of_what_cannot_be_read(self):
        query = f"apiKey={self.key}&a=b"

        response = self.client.generic("POST", f"/v2/heartbeats/backup/ping?{query}", b"\x1f\x8bbroken", "text/plain")

        self.assertEqual(response.status_code, 400)
        self.assertEqual(IntakeEvent.objects.get().headers["query"], "a=b")

    def test_it_makes_no_more_heartbeats_than_a_source_may_have(self):
        Heartbeat.objects.create(source=make_source(), name="elsewhere")

        with mock.patch.object(named, "MOST_HEARTBEATS", 2):
            answers = [self.ask("POST", f"/v2/heartbeats/{name}/ping") for name in ("a", "b", "c", "a")]

        self.assertEqual([answer.status_code for answer in answers], [202, 202, 422, 202])
        self.assertIn("at most 2 heartbeats", answers[2].json()["message"])
        self.assertEqual((Heartbeat.objects.filter(source=self.source).count(), IntakeEvent.objects.count()), (2, 0))

    def test_it_refuses_strangers_and_knows_no_heartbeat_of_another_source(self):
        self.ask("POST", "/v2/heartbeats/backup/ping")
        other = make_key(make_source(kind="opsgenie"))

        statuses = [
            self.ask("GET", "/v2/heartbeats/backup", key=key).status_code for key in ("", "x" * 32, other, self.key)
        ]

        self.assertEqual(statuses, [401, 403, 404, 200])
        self.assertEqual(self.ask("POST", "/v2/heartbeats/backup/ping", key="").status_code, 401)
        self.assertEqual(self.client.post(f"/v2/heartbeats/backup?apiKey={self.key}").status_code, 405)


class DoorTests(OpsgenieTestCase):
    def test_it_finds_the_same_door_at_the_gateway_as_among_the_views(self):
        paths = {
            ("GET", "/v2/alerts"): "OpsgenieAlertsEndpoint",
            ("GET", "/v2/alerts/requests/1"): "OpsgenieRequestEndpoint",
            ("POST", "/v2/alerts/requests/1/close"): "OpsgenieAlertEndpoint",
            ("POST", "/v2/alerts/a/b/close/"): "OpsgenieAlertEndpoint",
            ("DELETE", "/v2/alerts/a"): "OpsgenieAlertEndpoint",
            ("PUT", "/v2/heartbeats/a/ping"): "OpsgeniePingEndpoint",
            ("GET", "/v2/heartbeats/a"): "OpsgenieHeartbeatEndpoint",
            ("POST", "/v2/enqueue/"): "PagerDutyEndpoint",
        }

        found = {way: type(find(*way)).__name__ for way in paths}

        self.assertEqual(found, paths)
