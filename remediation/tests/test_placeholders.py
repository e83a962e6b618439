from urllib.parse import parse_qs, urlsplit

from django.test import SimpleTestCase

from remediation.steps.placeholders import fault_of, in_json, in_text, in_url, names_in


class PlaceholderTests(SimpleTestCase):
    def test_it_finds_names_anywhere(self):
        self.assertEqual(sorted(names_in({"a": ["{x}", {"{y}": "{{z}}"}]})), ["x", "y"])

    def test_it_refuses_unknown_names_and_lone_braces(self):
        known = frozenset({"x"})

        self.assertEqual(fault_of(["{x}", {"k": "{{}}"}], known), "")
        for wrong in ("{y}", "{", "}", "{X}", "{x", {"{y}": 1}):
            with self.subTest(wrong=wrong):
                self.assertNotEqual(fault_of(wrong, known), "")

    def test_it_keeps_a_value_within_its_part_of_an_address(self):
        for hostile in ("a/b", "a?b=c", "a#b", "a&all=true", "a b", "%2e%2e", "ä;x", "a\\b"):
            with self.subTest(hostile=hostile):
                found = urlsplit(in_url("https://ops.example/v1/{x}/restart?service={x}", {"x": hostile}))

                self.assertEqual(found.netloc, "ops.example")
                self.assertEqual(found.path.count("/"), 3)
                self.assertEqual(parse_qs(found.query), {"service": [hostile]})
                self.assertEqual(found.fragment, "")

    def test_it_refuses_a_value_of_dots(self):
        for dots in (".", "..", "a/../../admin", "..\\admin", "x/.."):
            with self.subTest(dots=dots), self.assertRaises(ValueError):
                in_url("https://ops.example/v1/{x}/restart", {"x": dots})

    def test_it_keeps_types_in_json(self):
        filled = in_json(
            {"n": "{n}", "t": "at most {n}", "b": ["{b}"], "q": '{s}"'}, {"n": 3, "b": True, "s": '","x":"'}
        )

        self.assertEqual(filled, {"n": 3, "t": "at most 3", "b": [True], "q": '","x":""'})

    def test_it_fills_names_in_json_too(self):
        self.assertEqual(in_json({"{s}": {"{{x}}": "{s}"}}, {"s": "web"}), {"web": {"{x}": "web"}})

    def test_it_fills_once(self):
        self.assertEqual(in_text("{a}{{a}}", {"a": "{b}", "b": "no"}), "{b}{a}")
