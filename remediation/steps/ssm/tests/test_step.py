import io
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import boto3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from django.test import SimpleTestCase, override_settings
from moto import mock_aws

from remediation.steps.parameters import Parameter, ParameterKind
from remediation.steps.port import OutcomeState, Phase, StepFailed, TargetsUnknown
from remediation.steps.ssm import client
from remediation.steps.ssm.step import SsmStep
from remediation.steps.tests.contexts import Rehearsal

REGION = "eu-central-1"
WEB, DB, OLD = "i-0123456789abcdef0", "i-0123456789abcdef1", "i-0123456789abcdef2"
CONTENT = {
    "schemaVersion": "2.2",
    "description": "Restart",
    "parameters": {"unit": {"type": "String", "allowedPattern": "^[a-z]+$"}},
    "mainSteps": [{"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": ["systemctl {{ unit }}"]}}],
}
SPEC = {
    "kind": "ssm",
    "tags": {"service": "{service}"},
    "act": {"document": "Restart", "parameters": {"unit": ["{unit}"]}, "seconds": 90},
    "roll_back": {"document": "Undo"},
}
VALUES = {"service": "web", "unit": "nginx"}
FLEET = {WEB: ("Online", "web"), DB: ("Online", "db"), OLD: ("ConnectionLost", "web")}


class SsmCase(SimpleTestCase):
    """moto's SSM; what moto does not have is answered here, after botocore has checked the request."""

    def setUp(self) -> None:
        self.enterContext(mock_aws())
        self.enterContext(override_settings(SSM_REGION=REGION, SSM_ENDPOINT_URL=""))
        client._client.cache_clear()
        self.addCleanup(client._client.cache_clear)
        self.ssm = boto3.client("ssm", REGION)
        for name in ("Restart", "Undo"):
            content = {**CONTENT, "parameters": CONTENT["parameters"] if name == "Restart" else {}}
            self.ssm.create_document(Content=json.dumps(content), Name=name, DocumentType="Command")
        self.fleet = dict(FLEET)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answer_with("DescribeInstanceInformation", self.instances)
        self.invocation: dict[str, Any] | None = None
        self.answer_with("GetCommandInvocation", lambda _body: self.invocation)
        self.kind = SsmStep()

    def events(self) -> Any:
        return client._client(REGION, "").meta.events

    def answer_with(self, operation: str, answer: Callable[[dict[str, Any]], Any]) -> None:
        """Answer an operation's valid requests with what a function of the body returns or raises."""

        def handle(params: Any, **_more: Any) -> Any:
            body = json.loads(params["body"])
            self.calls.append((operation, body))
            found = answer(body)
            return None if found is None else (AWSResponse("", 200, {}, io.BytesIO()), found)

        self.events().register_first(f"before-call.ssm.{operation}", handle)

    def instances(self, body: dict[str, Any]) -> Any:
        found = []
        filters = {one["Key"]: one["Values"] for one in body.get("Filters", [])}
        for name, (status, service) in self.fleet.items():
            if name in filters.get("InstanceIds", [name]) and service in filters.get("tag:service", [service]):
                found.append({"InstanceId": name, "PingStatus": status, "PlatformType": "Linux"})
        return {"InstanceInformationList": found}

    def rehearse(self, spec: dict[str, Any] = SPEC, **values: Any) -> Rehearsal:
        given = {**VALUES, **values}
        return Rehearsal(self.kind, spec, self.kind.resolve(spec, given).found[0], given)

    def sent(self) -> list[dict[str, Any]]:
        return list(self.ssm.list_commands()["Commands"])

    def becomes(self, status: str, details: str, **more: Any) -> None:
        """Say what became of every command."""
        self.invocation = {"Status": status, "StatusDetails": details, **more}


class ResolvingTests(SsmCase):
    def test_it_finds_online_instances_by_tag_and_counts_the_fleet(self) -> None:
        found = self.kind.resolve(SPEC, VALUES)

        self.assertEqual([target.name for target in found.found], [f"instance {WEB}"])
        self.assertEqual(found.population, 3)
        digest = self.ssm.describe_document(Name="Restart")["Document"]["Hash"]
        self.assertEqual(found.found[0].details["documents"]["Restart"], digest)

    def test_it_finds_instances_by_id(self) -> None:
        spec = {**{name: part for name, part in SPEC.items() if name != "tags"}, "instances": [WEB, "{db}", WEB]}

        found = self.kind.resolve(spec, {**VALUES, "db": DB})

        self.assertEqual([target.details["instance"] for target in found.found], [WEB, DB])

    def test_it_refuses_what_is_not_there(self) -> None:
        for part, said in (
            ({"instances": [OLD]}, "not online"),
            ({"instances": ["i-0123456789abcdef9"]}, "not managed"),
            ({"instances": ["web"]}, "no id of an instance"),
            ({"tags": {"service": "paper"}}, "with these tags"),
            ({"instances": [WEB], "act": {"document": "Missing"}}, "InvalidDocument"),
        ):
            spec = {name: one for name, one in SPEC.items() if name != "tags"} | part
            with self.subTest(said), self.assertRaisesMessage(TargetsUnknown, said):
                self.kind.resolve(spec, VALUES)

    def test_it_says_what_is_not_set_up(self) -> None:
        with override_settings(SSM_REGION=""):
            self.assertIn("SSM_REGION", self.kind.why_unusable())
        with mock.patch("remediation.steps.ssm.client.find_spec", return_value=None):
            self.assertIn("extra", self.kind.why_unusable())
        self.assertEqual(self.kind.why_unusable(), "")


class SendingTests(SsmCase):
    def test_it_checks_sends_once_and_verifies(self) -> None:
        rehearsal = self.rehearse()
        for phase in (Phase.DRY_RUN, Phase.CHECK):
            self.assertIs(rehearsal.do(phase).state, OutcomeState.DONE)

        sent = rehearsal.do(Phase.ACT)
        done = rehearsal.poll(Phase.ACT)
        verified = rehearsal.do(Phase.VERIFY)

        self.assertEqual([sent.state, done.state, verified.state], [OutcomeState.WAIT, *[OutcomeState.DONE] * 2])
        (command,) = self.sent()
        self.assertEqual((command["DocumentName"], command["Parameters"]), ("Restart", {"unit": ["nginx"]}))
        self.assertEqual((command["InstanceIds"], command["MaxErrors"]), ([WEB], "0"))
        self.assertEqual(command["Comment"], f"{rehearsal.context(Phase.CHECK).idempotency_key} act")

    def test_it_names_the_approved_documents_hash(self) -> None:
        self.answer_with("SendCommand", lambda _body: None)
        rehearsal = self.rehearse()

        rehearsal.do(Phase.ACT)

        body = dict(self.calls)["SendCommand"]
        self.assertEqual(body["DocumentHash"], rehearsal.target.details["documents"]["Restart"])
        self.assertEqual((body["DocumentHashType"], body["TimeoutSeconds"]), ("Sha256", client.DELIVERY_SECONDS))

    def test_it_refuses_a_document_that_changed_since(self) -> None:
        rehearsal = self.rehearse()
        self.ssm.update_document(
            Name="Restart", Content=json.dumps({**CONTENT, "description": "Other"}), DocumentVersion="$LATEST"
        )
        self.ssm.update_document_default_version(Name="Restart", DocumentVersion="2")

        outcome = rehearsal.do(Phase.CHECK)

        self.assertEqual((outcome.state, "has changed" in outcome.output), (OutcomeState.FAILED, True))

    def test_it_refuses_parameters_that_the_document_does_not_have(self) -> None:
        spec = {**SPEC, "act": {"document": "Restart", "parameters": {"other": ["x"]}}}

        outcome = self.rehearse(spec).do(Phase.CHECK)

        self.assertEqual((outcome.state, "no parameter other" in outcome.output), (OutcomeState.FAILED, True))

    def test_it_refuses_an_instance_that_went_away(self) -> None:
        rehearsal = self.rehearse()
        self.fleet[WEB] = ("ConnectionLost", "web")

        self.assertIs(rehearsal.do(Phase.CHECK).state, OutcomeState.FAILED)

    def test_it_refuses_values_that_ssm_would_fill(self) -> None:
        with self.assertRaisesMessage(ValueError, "{{"):
            self.rehearse(unit="{{ssm:password}}").context(Phase.ACT)

    def test_it_finds_a_command_whose_answer_was_lost_and_sends_no_other(self) -> None:
        rehearsal = self.rehearse()
        rehearsal.do(Phase.CHECK)
        true_send = client._client(REGION, "").send_command

        def lose(**request: Any) -> None:
            true_send(**request)
            raise ReadTimeoutError(endpoint_url="ssm")

        with mock.patch.object(client._client(REGION, ""), "send_command", lose):
            waiting = rehearsal.do(Phase.ACT)
        done = rehearsal.poll(Phase.ACT)

        self.assertEqual([waiting.state, done.state], [OutcomeState.WAIT, OutcomeState.DONE])
        self.assertEqual(len(self.sent()), 1)

    def test_it_waits_in_vain_for_a_command_that_was_never_taken(self) -> None:
        rehearsal = self.rehearse()
        lost = ReadTimeoutError(endpoint_url="ssm")
        with mock.patch.object(client._client(REGION, ""), "send_command", side_effect=lost):
            rehearsal.do(Phase.ACT)

        self.assertIs(rehearsal.poll(Phase.ACT).state, OutcomeState.WAIT)
        self.assertEqual(self.sent(), [])

    def test_it_knows_that_a_refusal_did_nothing(self) -> None:
        for failure, said in (
            (ConnectTimeoutError(endpoint_url="ssm"), "ConnectTimeoutError"),
            (self.ssm.exceptions.InvalidInstanceId({"Error": {"Code": "InvalidInstanceId"}}, "SendCommand"), "Invalid"),
        ):
            with mock.patch.object(client._client(REGION, ""), "send_command", side_effect=failure):
                with self.subTest(said), self.assertRaisesMessage(StepFailed, said) as raised:
                    self.rehearse().do(Phase.ACT)
                self.assertTrue(raised.exception.did_nothing)

    def test_it_tells_what_became_of_a_command(self) -> None:
        for status, details, state in (
            ("Pending", "Pending", OutcomeState.WAIT),
            ("InProgress", "InProgress", OutcomeState.WAIT),
            ("Delayed", "Delayed", OutcomeState.WAIT),
            ("Cancelling", "Cancelling", OutcomeState.WAIT),
            ("Success", "Success", OutcomeState.DONE),
            ("Failed", "Failed", OutcomeState.FAILED),
            ("Failed", "Terminated", OutcomeState.FAILED),
            ("TimedOut", "Execution Timed Out", OutcomeState.FAILED),
            ("Cancelled", "Cancelled", OutcomeState.FAILED),
            ("TimedOut", "Delivery Timed Out", None),
            ("TimedOut", "DeliveryTimedOut", None),
            ("Failed", "Undeliverable", None),
            ("Failed", "AccessDenied", None),
        ):
            rehearsal = self.rehearse()
            rehearsal.do(Phase.ACT)
            self.becomes(status, details, StandardOutputContent="out\n", StandardErrorContent="err\n")
            with self.subTest(details):
                if state is None:
                    with self.assertRaises(StepFailed) as raised:
                        rehearsal.poll(Phase.ACT)
                    self.assertTrue(raised.exception.did_nothing)
                    continue
                outcome = rehearsal.poll(Phase.ACT)
                self.assertEqual((outcome.state, outcome.output.endswith("out\nerr")), (state, True))

    def test_it_rolls_back_by_another_document(self) -> None:
        rehearsal = self.rehearse()
        rehearsal.do(Phase.CHECK)
        rehearsal.do(Phase.ACT)

        rehearsal.do(Phase.ROLL_BACK)
        outcome = rehearsal.poll(Phase.ROLL_BACK)

        self.assertIs(outcome.state, OutcomeState.DONE)
        self.assertEqual([one["DocumentName"] for one in self.sent()], ["Restart", "Undo"])

    def test_it_sends_a_verifying_document_once_however_often_it_is_asked(self) -> None:
        rehearsal = self.rehearse({**SPEC, "verify": {"document": "Undo"}})
        for phase in (Phase.CHECK, Phase.ACT):
            rehearsal.do(phase)

        first = rehearsal.do(Phase.VERIFY)
        del rehearsal.memory["sent"]  # its worker ended before it was written down
        outcome = rehearsal.do(Phase.VERIFY)

        self.assertEqual([first.state, outcome.state], [OutcomeState.WAIT, OutcomeState.DONE])
        self.assertEqual([one["DocumentName"] for one in self.sent()], ["Restart", "Undo"])

    def test_it_limits_the_time_of_a_shell_script(self) -> None:
        self.answer_with("SendCommand", lambda _body: {"Command": {"CommandId": "1"}})

        client.send(WEB, "AWS-RunShellScript", "", {"commands": ["uptime"]}, comment="c", seconds=45)

        self.assertEqual(dict(self.calls)["SendCommand"]["Parameters"]["executionTimeout"], ["45"])


class SpecTests(SimpleTestCase):
    PARAMETERS = (
        Parameter("unit", ParameterKind.STRING, pattern="[a-z]+"),
        Parameter("level", ParameterKind.CHOICE, choices=("low", "high")),
        Parameter("number", ParameterKind.INTEGER, minimum=1, maximum=9),
    )

    def faults(self, **spec: Any) -> set[str]:
        return set(SsmStep().validate({"kind": "ssm", **spec}, self.PARAMETERS))

    def test_it_names_the_place_of_each_fault(self) -> None:
        where, act = {"instances": [WEB]}, {"document": "Restart"}
        shell = {"document": "AWS-RunShellScript"}
        self.assertEqual(self.faults(**where, act=act), {"verify"})
        by_arn = {"document": "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"}
        for spec, places in (
            ({**where, "act": act}, set()),
            ({"tags": {"service": "{unit}"}, "act": act, "verify": act, "roll_back": act}, set()),
            ({**where, "act": {**act, "parameters": {"unit": ["{unit}"]}}}, set()),
            ({**where, "act": {**shell, "parameters": {"commands": ["nice -n {number} run {level}"]}}}, set()),
            ({**where, "act": {**shell, "parameters": {"commands": ["systemctl restart {unit}"]}}}, {"act.parameters"}),
            ({**where, "act": {**by_arn, "parameters": {"commands": ["systemctl {unit}"]}}}, {"act.parameters"}),
            ({**where, "act": {**shell, "parameters": {"{other}": ["uptime"]}}}, set()),
            ({"act": act}, {"instances"}),
            ({**where, "tags": {"a": "b"}, "act": act}, {"instances"}),
            ({"instances": [], "act": act}, {"instances"}),
            ({"tags": {}, "act": act}, {"tags"}),
            ({"tags": {"a": "{none}"}, "act": act}, {"tags"}),
            (where, {"act"}),
            ({**where, "act": {"document": "{unit}"}}, {"act.document"}),
            ({**where, "act": {**act, "parameters": {"unit": "x"}}}, {"act.parameters"}),
            ({**where, "act": {**act, "parameters": {"unit": ["{none}"]}}}, {"act.parameters"}),
            ({**where, "act": {**act, "seconds": 0}}, {"act.seconds"}),
            ({**where, "act": {**act, "region": "x"}}, {"act.region"}),
            ({**where, "act": act, "check": act}, {"check"}),
        ):
            with self.subTest(spec):
                self.assertEqual(self.faults(**{"verify": act, **spec}), places)
