from django.test import SimpleTestCase

from remediation.steps.parameters import Parameter, ParameterKind, fault_of_value, faults_of, parameters_of, values_of

HOST = {"name": "host", "kind": "string", "pattern": "web-[0-9]{1,3}"}
COUNT = {"name": "count", "kind": "integer", "minimum": 1, "maximum": 5, "default": 2}
FORCE = {"name": "force", "kind": "boolean", "default": False}
ZONE = {"name": "zone", "kind": "choice", "choices": ["a", "b"], "default": "a"}
SERVICE = {"name": "service", "kind": "service"}


class DefinitionTests(SimpleTestCase):
    def test_it_accepts_each_kind(self):
        self.assertEqual(faults_of([HOST, COUNT, FORCE, ZONE, SERVICE]), {})

    def test_it_names_the_place_of_each_fault(self):
        for wrong, place in (
            ("a", "0"),
            ({"name": "No", "kind": "boolean"}, "0.name"),
            ({"name": "target", "kind": "boolean"}, "0.name"),
            ({"name": "x", "kind": "text"}, "0.kind"),
            ({"name": "x", "kind": "string"}, "0.pattern"),
            ({"name": "x", "kind": "string", "pattern": "("}, "0.pattern"),
            ({"name": "x", "kind": "integer", "minimum": 1}, "0.minimum"),
            ({"name": "x", "kind": "integer", "minimum": True, "maximum": 3}, "0.minimum"),
            ({"name": "x", "kind": "integer", "minimum": 3, "maximum": 1}, "0.minimum"),
            ({"name": "x", "kind": "choice", "choices": []}, "0.choices"),
            ({"name": "x", "kind": "choice", "choices": ["a\n"]}, "0.choices"),
            ({"name": "x", "kind": "boolean", "pattern": "a"}, "0.pattern"),
            ({**COUNT, "default": 9}, "0.default"),
        ):
            with self.subTest(wrong=wrong):
                self.assertEqual(list(faults_of([wrong])), [place])

    def test_it_refuses_a_name_that_is_taken(self):
        self.assertEqual(list(faults_of([FORCE, FORCE])), ["1.name"])

    def test_it_keeps_only_what_a_kind_has(self):
        stored = Parameter("count", ParameterKind.INTEGER, minimum=0, maximum=3).stored()

        self.assertEqual(stored, {"name": "count", "kind": "integer", "minimum": 0, "maximum": 3})


class ValueTests(SimpleTestCase):
    def test_it_is_strict_about_types(self):
        for stored, good, bad in (
            (HOST, ["web-1"], ["web-1\n", "xweb-1", "web-1x", "", 1, None, ["web-1"], "web-1; reboot"]),
            (COUNT, [1, 5], [0, 6, True, "2", 2.0]),
            (FORCE, [True, False], [0, 1, "true"]),
            (ZONE, ["a", "b"], ["c", "A", 1]),
            (SERVICE, ["checkout-api"], ["checkout api", "../x", ""]),
        ):
            parameter = Parameter.of(stored)
            with self.subTest(kind=parameter.kind):
                self.assertEqual([one for one in good if fault_of_value(parameter, one)], [])
                self.assertEqual([one for one in bad if not fault_of_value(parameter, one)], [])

    def test_it_fills_defaults_and_names_what_is_missing_or_unknown(self):
        values, faults = values_of(
            parameters_of([HOST, COUNT, SERVICE]), {"service": "gone", "other": 1}, services=frozenset({"checkout"})
        )

        self.assertEqual(values["count"], 2)
        self.assertEqual(sorted(faults), ["host", "other", "service"])
