from typing import Any

from django.test import SimpleTestCase

from remediation.steps.kubernetes.step import KubernetesStep
from remediation.steps.parameters import Parameter, ParameterKind
from remediation.steps.port import Phase

NUMBER = Parameter("number", ParameterKind.INTEGER, minimum=1, maximum=9)
MAYBE_NONE = Parameter("few", ParameterKind.INTEGER, minimum=0, maximum=9)
NAME = Parameter("name", ParameterKind.STRING, pattern="[a-z]+")
ACT = {"operation": "restart", "namespace": "shop", "name": "web"}
SCALE = {**ACT, "operation": "scale", "replicas": 3}


class SpecTests(SimpleTestCase):
    def faults(self, **spec: Any) -> set[str]:
        return set(KubernetesStep().validate({"kind": "kubernetes", **spec}, [NUMBER, MAYBE_NONE, NAME]))

    def test_it_takes_what_it_can_do(self) -> None:
        for spec in (
            {"act": ACT},
            {"act": {**ACT, "name": "{name}"}, "check": {"min_available": 2}, "roll_back": {"operation": "undo"}},
            {"act": {"operation": "restart", "namespace": "shop", "selector": "app=web,tier={name}"}},
            {"act": {**ACT, "resource": "daemonset"}},
            {"act": {**ACT, "operation": "undo"}, "roll_back": {"operation": "undo"}},
            {"act": SCALE, "roll_back": {"operation": "scale"}},
            {"act": {**SCALE, "replicas": "{number}"}},
            {"act": {**SCALE, "replicas": "{few}", "may_be_zero": True}},
        ):
            with self.subTest(spec):
                self.assertEqual(self.faults(**spec), set())

    def test_it_names_the_place_of_each_fault(self) -> None:
        for spec, places in (
            ({}, {"act"}),
            ({"act": {**ACT, "operation": "delete"}}, {"act.operation"}),
            ({"act": {**ACT, "selector": "app=web"}}, {"act.name"}),
            ({"act": {"operation": "restart", "namespace": "shop"}}, {"act.name"}),
            ({"act": {**ACT, "replicas": 3}}, {"act.replicas"}),
            ({"act": {**ACT, "namespace": ""}}, {"act.namespace"}),
            ({"act": {**ACT, "name": "Web"}}, {"act.name"}),
            ({"act": {**ACT, "name": "{other}"}}, {"act"}),
            ({"act": {**ACT, "resource": "pod"}}, {"act.resource"}),
            ({"act": {**SCALE, "resource": "daemonset"}}, {"act.resource"}),
            ({"act": {**SCALE, "replicas": 0}}, {"act.replicas"}),
            ({"act": {**SCALE, "replicas": "{few}"}}, {"act.replicas"}),
            ({"act": {**SCALE, "replicas": "{name}"}}, {"act.replicas"}),
            ({"act": {**SCALE, "replicas": "3"}}, {"act.replicas"}),
            ({"act": {**SCALE, "replicas": True}}, {"act.replicas"}),
            ({"act": {**SCALE, "replicas": 5000}}, {"act.replicas"}),
            ({"act": ACT, "roll_back": {"operation": "scale"}}, {"roll_back"}),
            ({"act": {**ACT, "resource": "statefulset"}, "roll_back": {"operation": "undo"}}, {"roll_back"}),
            ({"act": ACT, "check": {"min_available": "2"}}, {"check.min_available"}),
            ({"act": ACT, "verify": {"seconds": 9}}, {"verify"}),
            ({"act": ACT, "verify": {"timeout_seconds": 9000}}, {"verify.timeout_seconds"}),
            ({"act": ACT, "dry_run": {}}, {"dry_run"}),
        ):
            with self.subTest(spec):
                self.assertEqual(self.faults(**spec), places)

    def test_it_rolls_back_only_if_told_how(self) -> None:
        kind = KubernetesStep()

        self.assertNotIn(Phase.ROLL_BACK, kind.phases({"act": ACT}))
        self.assertIn(Phase.ROLL_BACK, kind.phases({"act": ACT, "roll_back": {"operation": "undo"}}))
