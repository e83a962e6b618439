from django import forms
from django.test import SimpleTestCase

from alerts.admin.badges import safe_links
from alerts.admin.fields import LabelNamesField, MatchersField, SeverityMapField, TemplatesField, WrittenField


class WrittenFieldTests(SimpleTestCase):
    def test_it_reads_what_it_writes(self) -> None:
        cases: list[tuple[WrittenField, object, str]] = [
            (LabelNamesField(), ["cluster", "alertname"], "cluster, alertname"),
            (SeverityMapField(), {"sev0": "critical", "p 4": "low"}, "sev0 = critical\np 4 = low"),
            (
                TemplatesField(),
                {"title": "{{ a }} = {{ b }}", "labels": {"host": "{{ h }}"}},
                "title = {{ a }} = {{ b }}\nlabels.host = {{ h }}",
            ),
            (MatchersField(), [{"name": "a", "op": "=~", "value": "x|y"}], 'a=~"x|y"'),
        ]

        for field, value, text in cases:
            with self.subTest(text):
                self.assertEqual(field.prepare_value(value), text)
                self.assertEqual(field.clean(text), value)
                self.assertFalse(field.has_changed(value, text))
                self.assertEqual(field.prepare_value("what was typed"), "what was typed")

    def test_it_says_what_cannot_be_read(self) -> None:
        cases = [
            (LabelNamesField(), 'a, b"', "not a label name"),
            (SeverityMapField(), "sev0 = awful", "not one of"),
            (SeverityMapField(), "a = low\nsev0", "Line 2"),
            (TemplatesField(), "= x", "Line 1"),
            (MatchersField(), "nonsense", "Line 1"),
        ]

        for field, text, sentence in cases:
            with self.subTest(text):
                self.assertTrue(field.has_changed([], text))
                with self.assertRaisesMessage(forms.ValidationError, sentence):
                    field.clean(text)

    def test_it_shows_spoilt_matchers_as_they_are(self) -> None:
        self.assertEqual(MatchersField().prepare_value([{"op": "?"}]), '[{"op": "?"}]')


class LinkTests(SimpleTestCase):
    def test_it_leads_to_the_web_only(self) -> None:
        links = [
            {"href": "https://a.example/x", "text": "A"},
            {"href": "javascript:alert(1)", "text": "B"},
            {"href": "data:text/html,x"},
            {"href": "HTTP://b.example"},
            {"href": "//c.example"},
            {"href": "https://[broken"},
            {"href": ""},
            "https://d.example",
        ]

        self.assertEqual(safe_links(links), [("https://a.example/x", "A"), ("HTTP://b.example", "HTTP://b.example")])
