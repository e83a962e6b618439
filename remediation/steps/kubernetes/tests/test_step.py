import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

from django.test import SimpleTestCase, override_settings

from e2e.stand_ins.kubernetes.cluster import Cluster
from e2e.stand_ins.kubernetes.server import StandIn
from e2e.tls import write_certificates
from remediation.steps.kubernetes import client
from remediation.steps.kubernetes.rollouts import RESTARTED
from remediation.steps.kubernetes.step import KubernetesStep
from remediation.steps.port import OutcomeState, Phase, StepFailed, TargetsUnknown
from remediation.steps.tests.contexts import Rehearsal

TOKEN = "cluster-token"
RULES = frozenset(
    {
        *((verb, resource) for verb in ("get", "list", "patch") for resource in ("deployments", "statefulsets")),
        *((verb, "daemonsets") for verb in ("get", "list", "patch")),
        *(("list", "replicasets"), ("list", "poddisruptionbudgets"), ("patch", "deployments/scale")),
        ("patch", "statefulsets/scale"),
    }
)
RESTART = {"act": {"operation": "restart", "namespace": "shop", "name": "web"}}


def scaled(replicas: Any, **fields: Any) -> dict[str, Any]:
    act = {"operation": "scale", "namespace": "shop", "name": "web", "replicas": replicas, **fields}
    return {"act": act, "roll_back": {"operation": "scale"}}


class ClusterCase(SimpleTestCase):
    def setUp(self) -> None:
        self.cluster = Cluster(pace=0.005)
        self.cluster.add("shop", "web", replicas=3)
        self.cluster.add("shop", "api", replicas=2)
        self.stand_in = self.enterContext(StandIn(self.cluster, {TOKEN: RULES}))
        self.enterContext(self.settings(KUBERNETES_URL=self.stand_in.url, KUBERNETES_TOKEN=TOKEN, KUBERNETES_CA=""))
        self.kind = KubernetesStep()

    def rehearse(self, spec: dict[str, Any], **values: Any) -> Rehearsal:
        target, *_others = self.kind.resolve(spec, values).found
        return Rehearsal(self.kind, spec, target, values)

    def deployment(self, name: str = "web") -> dict[str, Any]:
        return self.cluster.get("deployments", "shop", name)

    def deploy(self, image: str, name: str = "web") -> None:
        """Roll out another image, as a pipeline does, and wait until it is there or has failed."""

        def patched(found: dict[str, Any]) -> dict[str, Any]:
            found["spec"]["template"]["spec"]["containers"][0]["image"] = image
            found["spec"]["progressDeadlineSeconds"] = 0.05
            return found

        self.cluster.change("deployments", "shop", name, patched, is_dry=False)
        time.sleep(0.3)

    def do_all(self, rehearsal: Rehearsal) -> str:
        """Check, act and verify; return what was last said."""
        for phase in (Phase.CHECK, Phase.ACT):
            outcome = rehearsal.do(phase)
            self.assertIs(outcome.state, OutcomeState.DONE, outcome.output)
        outcome = rehearsal.finish(Phase.VERIFY, lambda: time.sleep(0.01))
        self.assertIs(outcome.state, OutcomeState.DONE, outcome.output)
        return outcome.output


class ResolvingTests(ClusterCase):
    def test_it_finds_a_workload_by_name_and_counts_those_around_it(self) -> None:
        found = self.kind.resolve(
            {"act": {"operation": "restart", "namespace": "{place}", "name": "{name}"}},
            {"place": "shop", "name": "web"},
        )

        self.assertEqual([target.name for target in found.found], ["deployment shop/web"])
        self.assertEqual(found.found[0].details["uid"], self.deployment()["metadata"]["uid"])
        self.assertEqual(found.population, 2)

    def test_it_takes_a_number_for_a_name(self) -> None:
        self.cluster.add("shop", "7")

        found = self.kind.resolve(
            {"act": {"operation": "restart", "namespace": "shop", "name": "{number}"}}, {"number": 7}
        )

        self.assertEqual([target.name for target in found.found], ["deployment shop/7"])

    def test_it_finds_workloads_by_labels_on_all_pages_of_the_list(self) -> None:
        for number in range(5):
            self.cluster.add("shop", f"worker-{number}")
        with mock.patch.object(client, "PAGE", 2):
            spec = {"act": {"operation": "restart", "namespace": "shop", "selector": "app=worker-3"}}
            found = self.kind.resolve(spec, {})

        self.assertEqual([target.name for target in found.found], ["deployment shop/worker-3"])
        self.assertEqual(found.population, 7)

    def test_it_refuses_what_is_not_there_or_is_no_name(self) -> None:
        for act, said in (
            ({"name": "other"}, "no such deployment"),
            ({"name": "web", "namespace": "elsewhere"}, "no such deployment"),
            ({"name": "web/scale"}, "no name of a workload"),
            ({"name": "../web"}, "no name of a workload"),
            ({"name": "web", "namespace": "shop/deployments"}, "no name of a namespace"),
            ({"selector": "app in (web)"}, "label=value"),
        ):
            spec = {"act": {"operation": "restart", "namespace": "shop", **act}}
            with self.subTest(act), self.assertRaisesMessage(TargetsUnknown, said):
                self.kind.resolve(spec, {})

    def test_it_says_what_the_cluster_refuses(self) -> None:
        for setting, said in (
            ({"KUBERNETES_TOKEN": "wrong"}, "401"),
            ({"KUBERNETES_URL": "http://127.0.0.1:1"}, "not"),
        ):
            with self.subTest(said), self.settings(**setting), self.assertRaisesMessage(TargetsUnknown, said):
                self.kind.resolve(RESTART, {})
        self.stand_in.tokens[TOKEN] = frozenset()
        with self.assertRaisesMessage(TargetsUnknown, 'cannot list resource "deployments"'):
            self.kind.resolve(RESTART, {})


class RestartTests(ClusterCase):
    def test_it_restarts_and_waits_until_the_rollout_has_ended(self) -> None:
        rehearsal = self.rehearse(RESTART)

        said = self.do_all(rehearsal)

        self.assertIn("3 of 3 replicas are available", said)
        annotations = self.deployment()["spec"]["template"]["metadata"]["annotations"]
        self.assertEqual(annotations, {RESTARTED: rehearsal.context(Phase.CHECK).idempotency_key})
        self.assertEqual(self.deployment()["spec"]["template"]["spec"]["containers"][0]["image"], "web:1")

    def test_it_waits_while_pods_are_replaced(self) -> None:
        rehearsal = self.rehearse(RESTART)
        self.cluster.pace = 60
        rehearsal.do(Phase.CHECK)
        rehearsal.do(Phase.ACT)

        outcome = rehearsal.do(Phase.VERIFY)

        self.assertEqual((outcome.state, "not seen" in outcome.output), (OutcomeState.WAIT, True))

    def test_it_restarts_stateful_and_daemon_sets(self) -> None:
        self.cluster.add("shop", "db", resource="statefulsets", replicas=2)
        self.cluster.add("shop", "log", resource="daemonsets")
        for resource, name in (("statefulset", "db"), ("daemonset", "log")):
            spec = {"act": {"operation": "restart", "resource": resource, "namespace": "shop", "name": name}}
            with self.subTest(resource):
                self.assertIn("are available", self.do_all(self.rehearse(spec)))
        self.assertEqual(len(self.stand_in.writes()), 2)

    def test_it_changes_nothing_when_it_is_asked_again(self) -> None:
        rehearsal = self.rehearse(RESTART)
        self.do_all(rehearsal)
        before = self.deployment()

        outcome = rehearsal.do(Phase.ACT)

        self.assertIs(outcome.state, OutcomeState.DONE)
        self.assertEqual((self.deployment(), len(self.stand_in.writes())), (before, 1))

    def test_it_finds_out_what_became_of_a_lost_answer(self) -> None:
        rehearsal = self.rehearse(RESTART)
        rehearsal.do(Phase.CHECK)
        generation = self.deployment()["metadata"]["generation"]
        self.stand_in.lost.append("PATCH")

        outcome = rehearsal.do(Phase.ACT)

        self.assertIs(outcome.state, OutcomeState.DONE)
        self.assertEqual(self.deployment()["metadata"]["generation"], generation + 1)
        self.assertEqual(len(self.stand_in.writes()), 1)

    def test_it_does_not_know_what_it_did_when_the_cluster_goes_away(self) -> None:
        rehearsal = self.rehearse(RESTART)
        rehearsal.do(Phase.CHECK)
        self.stand_in.ends_with = "PATCH"

        with mock.patch("time.sleep"), self.assertRaises(StepFailed) as raised:
            rehearsal.do(Phase.ACT)

        self.assertFalse(raised.exception.did_nothing)
        self.stand_in.ends_with, self.stand_in.is_away = "", False
        outcome = rehearsal.finish(Phase.VERIFY, lambda: time.sleep(0.01))
        self.assertIs(outcome.state, OutcomeState.DONE)  # so the run learns that it was done

    def test_it_knows_that_it_did_nothing_when_the_cluster_was_away_before(self) -> None:
        rehearsal = self.rehearse(RESTART)
        rehearsal.do(Phase.CHECK)
        self.stand_in.is_away = True

        with mock.patch("time.sleep"), self.assertRaises(StepFailed) as raised:
            rehearsal.do(Phase.ACT)

        self.assertTrue(raised.exception.did_nothing)

    def test_it_learns_that_a_change_was_never_made(self) -> None:
        rehearsal = self.rehearse(RESTART)
        rehearsal.do(Phase.CHECK)

        outcome = rehearsal.do(Phase.VERIFY)

        self.assertEqual((outcome.state, "is not there" in outcome.output), (OutcomeState.FAILED, True))

    def test_it_knows_that_a_refusal_did_nothing(self) -> None:
        rehearsal = self.rehearse(RESTART)
        rehearsal.do(Phase.CHECK)
        self.stand_in.tokens[TOKEN] = RULES - {("patch", "deployments")}

        with self.assertRaisesMessage(StepFailed, 'cannot patch resource "deployments"') as raised:
            rehearsal.do(Phase.ACT)

        self.assertTrue(raised.exception.did_nothing)

    def test_it_refuses_what_was_changed_or_made_anew_since_the_check(self) -> None:
        rehearsal = self.rehearse(RESTART)
        rehearsal.do(Phase.CHECK)
        self.deploy("web:2")

        with self.assertRaisesMessage(StepFailed, "changed since it was checked") as raised:
            rehearsal.do(Phase.ACT)
        self.cluster.add("shop", "web")
        outcome = rehearsal.do(Phase.CHECK)

        self.assertTrue(raised.exception.did_nothing)
        self.assertIs(outcome.state, OutcomeState.FAILED)
        self.assertIn("made anew", outcome.output)
        self.assertEqual(self.stand_in.writes(), [])

    def test_it_checks_the_state_first(self) -> None:
        def paused(found: dict[str, Any]) -> dict[str, Any]:
            return {**found, "spec": {**found["spec"], "paused": True}}

        least = {**RESTART, "check": {"min_available": 4}}
        self.assertIn("asks for 4", self.rehearse(least).do(Phase.CHECK).output)
        self.cluster.pace = 60
        self.deploy("web:2")
        self.assertIn("rollout is in progress", self.rehearse(RESTART).do(Phase.CHECK).output)
        self.cluster.change("deployments", "shop", "web", paused, is_dry=False)
        self.assertIn("paused", self.rehearse(RESTART).do(Phase.CHECK).output)

    def test_it_tries_without_effect(self) -> None:
        before = self.deployment()

        outcome = self.rehearse(RESTART).do(Phase.DRY_RUN)

        self.assertIs(outcome.state, OutcomeState.DONE)
        self.assertEqual((self.deployment(), self.stand_in.writes()), (before, []))
        self.assertEqual(self.stand_in.seen[-1].query["dryRun"], ["All"])
        self.stand_in.tokens[TOKEN] = RULES - {("patch", "deployments")}
        with self.assertRaisesMessage(StepFailed, "forbidden"):
            self.rehearse(RESTART).do(Phase.DRY_RUN)

    def test_it_fails_when_the_rollout_exceeds_its_deadline_and_goes_back(self) -> None:
        self.deploy("web:2")
        self.deploy("web:broken")
        rehearsal = self.rehearse({**RESTART, "roll_back": {"operation": "undo"}})
        rehearsal.memory = {"replica_set_before": ""}

        outcome = rehearsal.finish(Phase.ROLL_BACK, lambda: time.sleep(0.01))

        self.assertIs(outcome.state, OutcomeState.DONE, outcome.output)
        self.assertEqual(self.deployment()["spec"]["template"]["spec"]["containers"][0]["image"], "web:2")


class ScaleTests(ClusterCase):
    def test_it_scales_and_goes_back_to_what_there_was(self) -> None:
        rehearsal = self.rehearse(scaled("{number}"), number=5)

        self.do_all(rehearsal)
        between = self.deployment()["status"]["availableReplicas"]
        outcome = rehearsal.finish(Phase.ROLL_BACK, lambda: time.sleep(0.01))

        self.assertIs(outcome.state, OutcomeState.DONE)
        self.assertEqual((between, self.deployment()["status"]["availableReplicas"]), (5, 3))
        self.assertEqual([seen.path.rpartition("/")[2] for seen in self.stand_in.writes()], ["scale", "scale"])

    def test_it_never_scales_to_zero_unless_the_runbook_says_so(self) -> None:
        self.assertIn("zero", self.rehearse(scaled(0)).do(Phase.CHECK).output)
        with self.assertRaisesMessage(StepFailed, "zero"):
            self.rehearse(scaled(0)).do(Phase.ACT)
        self.do_all(self.rehearse(scaled(0, may_be_zero=True)))

        self.assertEqual(self.deployment()["spec"]["replicas"], 0)

    def test_it_keeps_what_a_disruption_budget_asks_for(self) -> None:
        self.cluster.add_budget("shop", "web", "web", min_available=2)
        self.cluster.add_budget("shop", "other", "other", min_available=9)

        outcome = self.rehearse(scaled(1)).do(Phase.CHECK)

        self.assertEqual((outcome.state, "budget asks for 2" in outcome.output), (OutcomeState.FAILED, True))
        self.do_all(self.rehearse(scaled(2)))

    def test_it_says_when_somebody_scaled_again(self) -> None:
        rehearsal = self.rehearse(scaled(5))
        self.do_all(rehearsal)
        self.do_all(self.rehearse(scaled(4)))

        outcome = rehearsal.do(Phase.VERIFY)

        self.assertEqual((outcome.state, "not any more" in outcome.output), (OutcomeState.FAILED, True))


class UndoTests(ClusterCase):
    UNDO = {"act": {"operation": "undo", "namespace": "shop", "name": "web"}, "roll_back": {"operation": "undo"}}

    def image(self) -> str:
        return str(self.deployment()["spec"]["template"]["spec"]["containers"][0]["image"])

    def test_it_goes_back_to_the_previous_template_also_from_a_rollout_that_hangs(self) -> None:
        self.deploy("web:2")
        self.deploy("web:broken")

        said = self.do_all(self.rehearse(self.UNDO))

        self.assertEqual(self.image(), "web:2")
        self.assertIn("3 of 3", said)

    def test_it_does_not_go_forward_again_when_it_is_asked_twice(self) -> None:
        self.deploy("web:2")
        rehearsal = self.rehearse(self.UNDO)
        self.do_all(rehearsal)

        rehearsal.do(Phase.ACT)

        self.assertEqual((self.image(), len(self.stand_in.writes())), ("web:1", 1))

    def test_it_rolls_back_to_where_it_began(self) -> None:
        self.deploy("web:2")
        rehearsal = self.rehearse(self.UNDO)
        self.do_all(rehearsal)

        outcome = rehearsal.finish(Phase.ROLL_BACK, lambda: time.sleep(0.01))

        self.assertEqual((outcome.state, self.image()), (OutcomeState.DONE, "web:2"))

    def test_it_refuses_without_an_earlier_revision(self) -> None:
        outcome = self.rehearse(self.UNDO).do(Phase.CHECK)

        self.assertEqual((outcome.state, "no earlier revision" in outcome.output), (OutcomeState.FAILED, True))


class ConnectionTests(ClusterCase):
    def test_it_trusts_the_authority_of_the_setting(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        write_certificates(folder / "ca.pem", folder / "pair.pem")
        stand_in = self.enterContext(StandIn(self.cluster, {TOKEN: RULES}, certificate=folder / "pair.pem"))

        with self.settings(KUBERNETES_URL=stand_in.url), mock.patch("time.sleep"):
            with self.assertRaisesMessage(TargetsUnknown, "did not answer"):
                self.kind.resolve(RESTART, {})
            with self.settings(KUBERNETES_CA=str(folder / "ca.pem")):
                self.assertEqual(self.kind.resolve(RESTART, {}).population, 2)

    def test_it_reads_the_service_account_anew(self) -> None:
        account = Path(self.enterContext(tempfile.TemporaryDirectory()))
        host, port = self.stand_in.url.removeprefix("http://").split(":")
        variables = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        self.enterContext(mock.patch.object(client, "ACCOUNT", account))
        self.enterContext(mock.patch.dict("os.environ", variables))
        with self.settings(KUBERNETES_URL="in-cluster", KUBERNETES_TOKEN=""):
            self.assertIn("KUBERNETES_TOKEN", self.kind.why_unusable())
            (account / "token").write_text("old\n")

            self.assertEqual(self.kind.why_unusable(), "")
            self.assertEqual(client._base_url(), f"https://{host}:{port}")
            self.enterContext(mock.patch.object(client, "_base_url", return_value=self.stand_in.url))
            self.enterContext(mock.patch.object(client, "_ca_file", return_value=""))
            with self.assertRaisesMessage(TargetsUnknown, "401"):
                self.kind.resolve(RESTART, {})
            (account / "token").write_text(f"{TOKEN}\n")
            self.assertEqual(self.kind.resolve(RESTART, {}).population, 2)

    def test_it_says_what_is_not_set(self) -> None:
        with override_settings(KUBERNETES_URL=""):
            self.assertIn("Set KUBERNETES_URL", self.kind.why_unusable())
        with override_settings(KUBERNETES_URL="http://10.0.0.1"):
            self.assertIn("https://", self.kind.why_unusable())
