import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread
from typing import Any

from auditlog.models import LogEntry
from django.test import SimpleTestCase, TestCase, override_settings

from core.errors import Conflict, DomainError, PermissionRefused
from incidents.tests.factories import make_incident
from remediation.models import RunbookSecret
from remediation.services import proposing, runbooks, secrets
from remediation.steps.http import HttpStep, is_below
from remediation.steps.parameters import parameters_of
from remediation.steps.port import Context, OutcomeState, Phase, StepFailed, Target
from users.tests.factories import make_admin, make_responder

URL = "https://ops.example/v1/restart"
STEP = {"kind": "http", "act": {"method": "POST", "url": URL}, "verify": {"url": URL}}
PARAMETERS = parameters_of(
    [
        {"name": "host", "kind": "string", "pattern": ".{1,40}"},
        {"name": "count", "kind": "integer", "minimum": 0, "maximum": 9},
    ]
)
step = HttpStep()


class Handler(BaseHTTPRequestHandler):
    """Answers as its path says, and keeps what it was asked."""

    server: Any
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), content))
        word = self.path.split("?")[0].strip("/").split("/")[0]
        if word == "drops":
            self.close_connection = True
            return
        answers = {"refuses": 403, "fails": 500, "conflicts": 409, "moves": 302}
        text = self.headers.get("Authorization", "") if word == "echoes" else "x" * 100_000 if word == "long" else "ok"
        self.send_response(answers.get(word, 200))
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Location", "/ok")
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class ValidationTests(TestCase):
    def test_it_accepts_a_whole_step(self) -> None:
        read = {"url": f"{URL}/{{host}}?n={{count}}", "expect": {"status": [200, 204], "contains": "up"}}
        whole = {
            "kind": "http",
            "targets": ["{host}", "db"],
            "check": {"method": "GET", **read},
            "dry_run": read,
            "act": {
                "method": "POST",
                "url": f"{URL}/{{target}}",
                "headers": {"X-Reason": "{host}"},
                "body": {"n": "{count}", "all": [True, None]},
                "timeout_seconds": 60,
            },
            "verify": read,
            "roll_back": {"method": "DELETE", "url": URL},
        }

        self.assertEqual(step.validate(whole, PARAMETERS), {})
        self.assertEqual(step.phases(whole), frozenset(Phase))

    def test_it_names_the_place_of_each_fault(self) -> None:
        for wrong, place in (
            ({"act": None}, "act"),
            ({"act": {"url": URL}}, "act.method"),
            ({"act": {"method": "TRACE", "url": URL}}, "act.method"),
            ({"check": {"method": "POST", "url": URL}}, "check.method"),
            ({"verify": {"url": URL, "body": {}}}, "verify.body"),
            ({"act": {"method": "POST", "url": "ftp://ops.example/"}}, "act.url"),
            ({"act": {"method": "POST", "url": "https://{host}/"}}, "act.url"),
            ({"act": {"method": "POST", "url": "https://ops.example:{count}/"}}, "act.url"),
            ({"act": {"method": "POST", "url": "{host}://ops.example/"}}, "act.url"),
            ({"act": {"method": "POST", "url": "https://a:b@ops.example/"}}, "act.url"),
            ({"act": {"method": "POST", "url": "http://169.254.169.254/latest/"}}, "act.url"),
            ({"act": {"method": "POST", "url": "http://127.0.0.1/"}}, "act.url"),
            ({"act": {"method": "POST", "url": f"{URL}/{{unknown}}"}}, "act.url"),
            ({"act": {"method": "POST", "url": URL, "body": "{unknown}"}}, "act.body"),
            ({"act": {"method": "POST", "url": URL, "headers": {"Authorization": "x"}}}, "act.headers"),
            ({"act": {"method": "POST", "url": URL, "headers": {"Idempotency-Key": "x"}}}, "act.headers"),
            ({"act": {"method": "POST", "url": URL, "headers": {"X": "a\nb"}}}, "act.headers"),
            ({"act": {"method": "POST", "url": URL, "expect": {"status": 200}}}, "act.expect"),
            ({"act": {"method": "POST", "url": URL, "timeout_seconds": 0}}, "act.timeout_seconds"),
            ({"act": {"method": "POST", "url": URL, "retries": 3}}, "act.retries"),
            ({"targets": []}, "targets"),
            ({"targets": ["{unknown}"]}, "targets"),
            ({"secret": "nobodys"}, "secret"),
            ({"command": "reboot"}, "command"),
        ):
            with self.subTest(wrong=wrong):
                self.assertEqual(list(step.validate({**STEP, **wrong}, PARAMETERS)), [place])

    def test_it_needs_an_act_and_a_verification(self) -> None:
        faults = step.validate({"kind": "http"}, PARAMETERS)

        self.assertEqual(list(faults), ["act", "verify"])
        self.assertIn("Add a request", faults["verify"])


class RenderingTests(SimpleTestCase):
    def test_it_keeps_values_where_they_stand(self) -> None:
        spec = {**STEP, "act": {**STEP["act"], "url": f"{URL}/{{host}}", "body": {"host": "{host}", "n": "{count}"}}}  # type: ignore[dict-item]
        hostile = 'a/b?x="1"'

        rendered = step.render(spec, {"host": hostile, "count": 3}, Target("http", "x"))

        self.assertEqual(rendered["act"]["url"], f"{URL}/a%2Fb%3Fx%3D%221%22")
        self.assertEqual(rendered["act"]["body"], {"host": hostile, "n": 3})

    def test_it_refuses_a_header_that_a_value_would_break(self) -> None:
        spec = {**STEP, "act": {**STEP["act"], "headers": {"X-Host": "{host}"}}}  # type: ignore[dict-item]

        with self.assertRaises(ValueError):
            step.render(spec, {"host": "ä"}, Target("http", "x"))

    def test_it_finds_targets(self) -> None:
        named = step.resolve({**STEP, "targets": ["{host}", "db", "db"]}, {"host": "web"})
        plain = step.resolve({**STEP, "act": {"method": "POST", "url": f"{URL}/{{host}}?q=1"}}, {"host": "w/1"})

        self.assertEqual([one.name for one in named.found], ["web", "db"])
        self.assertEqual([one.name for one in plain.found], [f"{URL}/w%2F1"])

    def test_it_binds_a_secret_to_its_address(self) -> None:
        prefix = "https://ops.example/v1"
        for url, is_bound in (
            ("https://ops.example/v1", True),
            ("https://ops.example/v1/x", True),
            ("https://ops.example/v10", False),
            ("https://ops.example/", False),
            ("http://ops.example/v1/x", False),
            ("https://ops.example:8443/v1/x", False),
            ("https://ops.example.evil.test/v1/x", False),
        ):
            with self.subTest(url=url):
                self.assertEqual(is_below(url, prefix), is_bound)


@override_settings(OUTBOUND_ALLOW=[ip_network("127.0.0.0/8")])
class SendingTests(TestCase):
    def setUp(self) -> None:
        self.server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.seen = []
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def perform(self, path: str, phase: Phase = Phase.ACT, **request: Any) -> Any:
        method = "POST" if phase in (Phase.ACT, Phase.ROLL_BACK) else "GET"
        secret = {"secret": request.pop("secret")} if "secret" in request else {}
        spec = {"kind": "http", phase: {"method": method, "url": f"{self.base}/{path}", **request}, **secret}
        context = Context(1, 1, 0, phase, "a-key", {}, Target("http", "x"), spec, {}, 5.0)
        return step.perform(context)

    def failure(self, path: str, phase: Phase = Phase.ACT, **request: Any) -> StepFailed:
        with self.assertRaises(StepFailed) as caught:
            self.perform(path, phase, **request)
        return caught.exception

    def test_it_sends_once_with_the_key(self) -> None:
        outcome = self.perform("ok", body={"n": 1})

        self.assertEqual((outcome.state, outcome.output), (OutcomeState.DONE, "200\nok"))
        method, _path, headers, content = self.server.seen[0]
        self.assertEqual((method, headers["Idempotency-Key"], json.loads(content)), ("POST", "a-key", {"n": 1}))
        self.assertEqual(len(self.server.seen), 1)

    def test_it_knows_what_it_did_and_what_not(self) -> None:
        for path, did_nothing in (
            ("refuses", True),
            ("fails", False),
            ("conflicts", False),
            ("moves", False),
            ("drops", False),
        ):
            with self.subTest(path=path):
                self.server.seen.clear()

                self.assertEqual(self.failure(path).did_nothing, did_nothing)
                self.assertEqual(len(self.server.seen), 1, "nothing is sent twice")

    def test_it_did_nothing_where_nobody_listens(self) -> None:
        self.server.shutdown()
        self.server.server_close()

        self.assertTrue(self.failure("ok").did_nothing)

    def test_it_goes_nowhere_inside_unless_the_operator_allows_it(self) -> None:
        with override_settings(OUTBOUND_ALLOW=[]):
            failed = self.failure("ok")

        self.assertTrue(failed.did_nothing)
        self.assertEqual(self.server.seen, [])

    def test_it_goes_to_this_servers_own_address_and_no_other_port_of_its_machine(self) -> None:
        with override_settings(OUTBOUND_ALLOW=[], PUBLIC_URL=self.base):
            self.assertEqual(self.perform("ok").state, OutcomeState.DONE)
        with override_settings(OUTBOUND_ALLOW=[], PUBLIC_URL="http://127.0.0.1:1"):
            self.assertTrue(self.failure("ok").did_nothing)

        self.assertEqual(len(self.server.seen), 1)

    def test_it_holds_the_answer_against_what_is_expected(self) -> None:
        for request, state in (
            ({"expect": {"contains": "ok"}}, OutcomeState.DONE),
            ({"expect": {"contains": "green"}}, OutcomeState.FAILED),
            ({"expect": {"status": [200]}}, OutcomeState.DONE),
        ):
            with self.subTest(request=request):
                self.assertEqual(self.perform("ok", Phase.CHECK, **request).state, state)
        self.assertEqual(self.perform("refuses", Phase.CHECK, expect={"status": [403]}).state, OutcomeState.DONE)
        self.assertEqual(self.perform("refuses", Phase.CHECK).state, OutcomeState.FAILED)

    def test_it_asks_again_until_it_is_verified(self) -> None:
        self.assertEqual(self.perform("fails", Phase.VERIFY).state, OutcomeState.WAIT)

    def test_it_cuts_outputs(self) -> None:
        self.assertLessEqual(len(self.perform("long").output), 8 * 1024)

    def test_it_sends_a_secret_and_never_shows_it(self) -> None:
        given = {"name": "ops", "url_prefix": f"{self.base}/echoes", "value": "Bearer s3cr3t-value"}
        secrets.set_secret(None, by=make_admin(), **given)

        outcome = self.perform("echoes", secret="ops")

        self.assertEqual(self.server.seen[0][2]["Authorization"], "Bearer s3cr3t-value")
        self.assertNotIn("s3cr3t", outcome.output)

    def test_it_sends_a_secret_nowhere_else(self) -> None:
        given = {"name": "ops", "url_prefix": f"{self.base}/echoes/", "value": "x" * 20}
        secrets.set_secret(None, by=make_admin(), **given)

        self.assertTrue(self.failure("ok", secret="ops").did_nothing)
        self.assertEqual(self.server.seen, [])


class ResolvingTests(TestCase):
    def test_it_refuses_targets_that_are_too_long_to_be_kept(self) -> None:
        admin = make_admin()
        parameters = [{"name": name, "kind": "string", "pattern": ".+"} for name in "abc"]
        runbook = runbooks.create(by=admin, name="R", parameters=parameters, steps=[{**STEP, "targets": ["{a}{b}{c}"]}])
        values = {name: name * 200 for name in "abc"}

        with self.assertRaises(DomainError) as caught:
            proposing.propose(make_incident(by=admin), runbook, by=admin, parameters=values)

        self.assertEqual(caught.exception.code, "invalid_parameters")


class SecretTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.given = {"name": "ops", "url_prefix": "https://ops.example/", "value": "hunter2hunter2"}

    def test_it_is_sealed(self) -> None:
        row = secrets.set_secret(None, by=self.admin, **self.given)

        self.assertNotIn("hunter2", RunbookSecret.objects.values_list("sealed", flat=True).get())
        self.assertNotIn("hunter2", str(vars(row)))

    def test_it_needs_its_value_again_for_another_address(self) -> None:
        row = secrets.set_secret(None, by=self.admin, **self.given)

        with self.assertRaises(DomainError) as caught:
            secrets.set_secret(row, by=self.admin, url_prefix="https://evil.example/")
        self.assertEqual(caught.exception.field, "value")
        secrets.set_secret(row, by=self.admin, header="X-Token")

    def test_it_tells_who_set_it_and_audits_another_value_without_it(self) -> None:
        row = secrets.set_secret(None, by=make_admin(name="First"), **self.given)

        row = secrets.set_secret(row, by=self.admin, value="swordfish-7")

        self.assertEqual(row.updated_by, self.admin)
        [entry] = LogEntry.objects.get_for_object(row).filter(action=LogEntry.Action.UPDATE)
        self.assertEqual((entry.actor, entry.changes), (self.admin, {"value": ["", "replaced"]}))
        self.assertNotIn("swordfish", str(LogEntry.objects.values_list("changes", flat=True)))

    def test_it_is_what_a_header_can_carry(self) -> None:
        for value in ("", "a\r\nX-Evil: 1", "naïve", " padded", "padded "):
            with self.subTest(value), self.assertRaises(DomainError) as caught:
                secrets.set_secret(None, by=self.admin, **{**self.given, "value": value})
            self.assertEqual(caught.exception.field, "value")

    def test_it_is_for_administrators(self) -> None:
        with self.assertRaises(PermissionRefused):
            secrets.set_secret(None, by=make_responder(), **self.given)

    def test_it_stays_while_a_runbook_names_it(self) -> None:
        row = secrets.set_secret(None, by=self.admin, **self.given)
        runbook = runbooks.create(by=self.admin, name="Restart", steps=[{**STEP, "secret": "ops"}])

        with self.assertRaises(Conflict):
            secrets.remove(row, by=self.admin)
        with self.assertRaises(Conflict):
            secrets.set_secret(row, by=self.admin, name="other")
        secrets.set_secret(row, by=self.admin, name="ops", value="another")
        runbooks.edit(runbook, by=self.admin, steps=[STEP])
        secrets.set_secret(row, by=self.admin, name="other")
        secrets.remove(row, by=self.admin)
        self.assertFalse(RunbookSecret.objects.exists())
