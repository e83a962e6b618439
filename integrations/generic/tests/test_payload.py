"""The generic source: bodies of any format, and templates."""

from typing import Any
from unittest import mock

from django.test import SimpleTestCase

from alerts.reading import tags as _tags
from alerts.reading import templates as _templates
from alerts.updates import AlertUpdate
from intake.requests import IntakeError, IntakeRequest
from integrations.generic import payload as generic

BODY = b"""{"check": {"name": "Disk", "tags": ["a", "b"], "app.kubernetes.io/name": "shop", "note": null, "n": 0},
    "state": "UP", "hosts": [{"id": 7}, {"id": 8}], "title": "Own title"}"""


def parsed(body: bytes, media_type: str = "application/json", templates: Any = None) -> list[AlertUpdate]:
    return generic.parse(IntakeRequest("POST", "/", {"content-type": media_type}, body), templates)


class StatusTests(SimpleTestCase):
    def test_it_knows_the_words_for_an_end(self):
        for word in ("ok", "OK", "Resolved", "closed", "recovered", "up", "0", 0, "normal", "green", False):
            with self.subTest(word=word):
                self.assertEqual(generic.action_of(word), "resolve")

    def test_it_fires_for_anything_else(self):
        for word in ("", None, "down", "1", 1, "firing", "unknown", "not ok", [], {"a": 1}, True):
            with self.subTest(word=word):
                self.assertEqual(generic.action_of(word), "fire")


class BodyTests(SimpleTestCase):
    def test_it_reads_xml_with_attributes_and_repeated_elements(self):
        updates = parsed(
            b"<alert severity='x'><name>N</name><tags>a:1</tags><tags>b</tags></alert>",
            templates={"severity": "{{ @severity }}gh | hi", "type": "{{ tags.1 }}"},
        )

        self.assertEqual(updates[0].title, "N")
        self.assertEqual(updates[0].labels, {"a": "1", "b": "true", "type": "b", "severity": "xgh | hi"})

    def test_it_refuses_what_has_more_members_than_anybody_says(self):
        many = b",".join(b'"%d":1' % number for number in range(2_001))
        for body in (b'{"title":"x",' + many + b"}", b'{"title":"x","labels":[' + b"[]," * 600_000 + b"[]]}"):
            with self.subTest(body=body[:40]), self.assertRaisesRegex(IntakeError, "at most 2,000|more than 500,000"):
                parsed(body)

    def test_it_looks_at_the_first_of_more_tags_than_anybody_gives(self):
        with mock.patch.object(_tags, "MOST_LABELS", 2):
            for tags in (b'"a,b,c"', b'["a", "b", "c"]', b'{"a": "", "b": "", "c": ""}'):
                with self.subTest(tags=tags):
                    update = parsed(b'{"title": "x", "tags": ' + tags + b"}")[0]
                    self.assertEqual(update.labels, {"a": "true", "b": "true"})

    def test_it_opens_no_door_through_xml(self):
        bomb = b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;">]><a><title>&c;</title></a>'
        outside = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a><title>&b;</title></a>'
        remote = b'<!DOCTYPE a SYSTEM "http://10.0.0.1/a.dtd"><a><title>t</title></a>'
        for body in (bomb, outside, remote):
            with self.subTest(body=body), self.assertRaises(IntakeError):
                parsed(body, "application/xml")

    def test_it_refuses_xml_that_is_broken_or_too_deep(self):
        for body in (
            b"<a><title>t</a>",
            b"<",
            b"<?xml version='1.0' encoding='no-such'?><a/>",
            b"<a>" * 100_000,
            b"<a>" * 5_000 + b"</a>" * 5_000,
            b"<a><title>t</title>" + b"<b/>" * 20_000 + b"</a>",
        ):
            with self.subTest(body=body[:40]), self.assertRaises(IntakeError):
                parsed(body, "text/xml")

    def test_it_reads_names_of_two_name_spaces_as_one(self):
        updates = parsed(b"<a xmlns:p='u:p' xmlns:q='u:q'><p:title>one</p:title><q:title>two</q:title></a>")

        self.assertEqual(updates[0].title, '["one","two"]')

    def test_it_refuses_forms_that_are_none(self):
        for body in (b"&".join(b"a%d=1" % number for number in range(201)), b"=", b"title"):
            with self.subTest(body=body[:20]), self.assertRaises(IntakeError):
                parsed(body, "application/x-www-form-urlencoded")

    def test_it_reads_a_form_of_parts(self):
        body = b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nFull\r\n--b--\r\n'

        self.assertEqual(parsed(body, "multipart/form-data; boundary=b")[0].title, "Full")

    def test_it_takes_a_thousand_at_once_and_no_more(self):
        thousand = b",".join([b'{"title": "a"}'] * 1_000)

        self.assertEqual(len(parsed(b"[" + thousand + b"]")), 1_000)
        with self.assertRaises(IntakeError) as caught:
            parsed(b"[" + thousand + b', {"title": "a"}]')
        self.assertEqual(caught.exception.status, 413)

    def test_it_refuses_what_has_no_title(self):
        for body in (b'{"severity": "high"}', b"[]", b"[{}]", b'[{"foo": 1}, 3]', b"3", b"{}"):
            with self.subTest(body=body), self.assertRaises(IntakeError):
                parsed(body)

    def test_it_keeps_alerts_without_a_key_apart_by_title_and_labels(self):
        bodies = [
            b'{"title": "a"}',
            b'{"title": "b"}',
            b'{"title": "a", "host": "h"}',
            b'{"title":"a","severity":"p1"}',
        ]

        found = [parsed(body)[0].identity for body in bodies]

        self.assertEqual(len(set(found)), 3)
        self.assertEqual(found[0], found[3])


class TemplateTests(SimpleTestCase):
    def test_it_lets_templates_choose_and_finds_the_rest_by_name(self):
        templates = {
            "title": "{{ check.name }} on {{ hosts.0.id }}",
            "key": "{{ hosts.-1.id }}",
            "labels": {"app": "{{ check.app.kubernetes.io/name }}", "none": "{{ nothing.here }}"},
        }

        update = parsed(BODY, templates=templates)[0]

        self.assertEqual((update.title, update.fingerprint, update.action), ("Disk on 7", "8", "resolve"))
        self.assertEqual(update.labels, {"app": "shop"})

    def test_it_renders(self):
        body = {"a": {"b": ["x", {"c": True}]}, "d": "Ü|{{", "e": None, "f": ""}
        for template, expected in {
            "plain": "plain",
            "": "",
            "{{a.b.0}}": "x",
            "{{ a.b.1.c }}": "true",
            "{{ a.b }}": '["x",{"c":true}]',
            "{{ d | lower }}": "ü|{{",
            "{{ e | default:'none | left' }}!": "none | left!",
            '{{ f | default:"F" | lower }}': "f",
            "{{ a | lower | default:'x' }}": '{"b":["x",{"c":true}]}',
            "{{ a.b.9 }}{{ a.b.x }}{{ a.b.-3 }}{{ d.e.f }}{{ a..b }}{{ }}": "",
            "{{ d.__class__ }}{{ a.keys }}{{ a.b.0.upper }}": "",
            "{{ open": "{{ open",
        }.items():
            with self.subTest(template=template):
                self.assertEqual(_templates.render(template, body), expected)

    def test_it_does_not_read_a_value_as_a_template(self):
        self.assertEqual(_templates.render("{{ a }}", {"a": "{{ b }}", "b": "secret"}), "{{ b }}")

    def test_it_bounds_what_it_renders(self):
        found = _templates.render("{{ a }}" * 200, {"a": "x" * 10_000})

        self.assertEqual(len(found), _templates.LONGEST_TEXT)

    def test_it_says_what_is_wrong_with_templates(self):
        self.assertEqual(_templates.problems({"title": "{{ a | lower | default:'x' }}", "labels": {"b": "c"}}), [])
        for templates, expected in (
            ([], "object"),
            ({"titel": "x"}, "Unknown field titel"),
            ({"title": 3}, "a template must be text"),
            ({"title": "{{ a"}, "do not match"),
            ({"title": "a }}"}, "do not match"),
            ({"title": "{{ }}"}, "nothing between"),
            ({"title": "{{ a | upper }}"}, "no filter"),
            ({"title": "x" * 2_001}, "longer"),
            ({"labels": "x"}, "labels must be an object"),
            ({"labels": {"a": None}}, "labels.a"),
        ):
            with self.subTest(templates=templates):
                self.assertIn(expected, " ".join(_templates.problems(templates)))
