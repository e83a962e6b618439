"""Every text is translated into every language, and the check that says so sees what is missing."""

import ast
import re
import tempfile
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.test import SimpleTestCase

from tests.house.sources import sources
from tests.languages import catalogues, checking, extracting, refusing
from tests.languages.extracting import Found

SHAPED = re.compile(r"""\|\s*(?:date|time)(?!\w)(?!:["']c["'])""")  # a time in the order of one language

PO = """
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);"

msgid "Open %(name)s"
msgstr "%(name)s öffnen"

msgid "%(count)s alert"
msgid_plural "%(count)s alerts"
msgstr[0] "%(count)s Alarm"
msgstr[1] "%(count)s Alarme"

msgid "Status"
msgstr "Status"

msgctxt "verb"
msgid "Open"
msgstr "Öffnen"
"""
SAID = (
    Found("a.py", "Open %(name)s"),
    Found("a.py", "%(count)s alert", "%(count)s alerts"),
    Found("a.py", "Status"),
    Found("a.py", "Open", context="verb"),
)


class CatalogueTests(SimpleTestCase):
    def test_it_has_a_catalogue_for_each_language(self):
        codes = [code for code, _name in settings.LANGUAGES if code != "en"]

        self.assertEqual(sorted(codes), catalogues.languages())

    def test_it_translates_every_text(self):
        wanted = extracting.extraction(extracting.texts())

        for language in catalogues.languages():
            with self.subTest(language):
                copies = catalogues.allowed_copies(language)
                found = checking.faults(catalogues.read(language), wanted, copies=copies)

                self.assertEqual(sorted(found), [])

    def test_it_awaits_no_translation(self):
        self.assertEqual(catalogues.awaited(), set())

    def test_it_is_written_and_compiled_as_the_tool_does(self):
        wanted = extracting.extraction(extracting.texts())

        for language in catalogues.languages():
            with self.subTest(language):
                catalogue = catalogues.updated(catalogues.read(language), wanted, language)

                self.assertEqual(catalogues.source_path(language).read_bytes(), catalogues.po_bytes(catalogue))
                self.assertEqual(catalogues.compiled_path(language).read_bytes(), catalogues.mo_bytes(catalogue))

    def test_it_counts_plurals_as_the_language_does(self):
        for language in catalogues.languages():
            with self.subTest(language):
                forms = catalogues.read(language).plural_forms

                self.assertEqual(forms, catalogues.empty(language).plural_forms)

    def test_it_finds_every_text_in_the_program(self):
        self.assertEqual(extracting.problems(), [])


class TimeTests(SimpleTestCase):
    def test_it_leaves_the_shapes_of_times_to_the_language(self):
        found = [path for path, source in extracting.templates() if SHAPED.search(source)]

        self.assertEqual(found, [], "use |shown with a style of core.text.moments")

    def test_it_sees_shapes_of_one_language(self):
        for source in (
            "{{ at|date:'j M Y' }}",
            '{{ at|utc|date:"H:i" }}',
            "{{ at|time }}",
            '{{ at|date:"DATE_FORMAT" }}',
        ):
            with self.subTest(source):
                self.assertTrue(SHAPED.search(source))
        self.assertFalse(SHAPED.search("{{ at|date:'c' }}"))


class RefusalTests(SimpleTestCase):
    def test_it_marks_what_pages_say_when_they_refuse(self):
        names = refusing.refusals(sources())

        found = [
            f"{one.path}:{line}: {text}"
            for one in sources().values()
            if not refusing.is_for_programs(one.path)
            for line, text in refusing.unmarked(one.tree, names)
        ]

        self.assertEqual(found, [])

    def test_it_sees_refusals_that_are_not_marked(self):
        for call in (
            'Conflict("No.")',
            'Conflict(f"{a} no")',
            'Conflict("%s no" % a)',
            'Conflict("No" if a else _("b"))',
            'Conflict("a" + b)',
        ):
            with self.subTest(call):
                self.assertEqual(len(list(refusing.unmarked(ast.parse(call), {"Conflict"}))), 1)
        for call in ('Conflict(_("No."))', 'Conflict(_("%(a)s no") % {"a": a}, code="b")', 'Conflict(f"{a}.")'):
            with self.subTest(call):
                self.assertEqual(list(refusing.unmarked(ast.parse(call), {"Conflict"})), [])


class CheckingTests(SimpleTestCase):
    def faults_of(self, po: str, said: tuple[Found, ...] = SAID, *, copies=("Status",), awaited=()) -> list[str]:
        wanted = extracting.extraction(said)
        return list(checking.faults(catalogues.parse(po.encode(), "de"), wanted, copies=copies, awaited=awaited))

    def test_it_lets_a_complete_catalogue_pass(self):
        self.assertEqual(self.faults_of(PO), [])

    def test_it_sees_each_fault(self):
        for changed, to, fault in (
            ("%(name)s öffnen", "", "missing: 'Open %(name)s'"),
            ("%(name)s öffnen", "Öffnen", "placeholders: 'Open %(name)s'"),
            ("%(name)s öffnen", "%(name)s %(name)s öffnen", "placeholders: 'Open %(name)s'"),
            ("%(name)s öffnen", "% (name)s öffnen %(name)s", "placeholders: 'Open %(name)s'"),
            ("%(name)s öffnen", "<b>%(name)s</b> öffnen", "placeholders: 'Open %(name)s'"),
            ("%(name)s öffnen", "Open %(name)s", "not translated: 'Open %(name)s'"),
            ("%(name)s öffnen", "%(name)s öffnen\\n", "line breaks at the ends: 'Open %(name)s'"),
            ('"%(count)s Alarme"', '""', "plural forms: '%(count)s alert'"),
            ('msgstr[1] "%(count)s Alarme"\n', "", "plural forms: '%(count)s alert'"),
            ('msgid "Open %(name)s"', '#, fuzzy\nmsgid "Open %(name)s"', "fuzzy: 'Open %(name)s'"),
            ('msgctxt "verb"\n', "", "missing: 'Open'"),
        ):
            with self.subTest(to or changed):
                self.assertIn(fault, self.faults_of(PO.replace(changed, to)))

    def test_it_sees_a_text_that_nothing_says(self):
        self.assertEqual(self.faults_of(PO, SAID[:3]), ["no longer said: 'Open'"])

    def test_it_sees_a_copy_that_nobody_allowed_and_a_permission_that_nothing_needs(self):
        self.assertEqual(self.faults_of(PO, copies=()), ["not translated: 'Status'"])
        self.assertEqual(
            self.faults_of(PO, copies=("Status", "Open")), ["in same.txt, but translated or no longer said: 'Open'"]
        )

    def test_it_lets_texts_wait_and_those_without_words_stay(self):
        po = PO.replace('"%(name)s öffnen"', '""') + '\nmsgid "%(a)s · %(b)s"\nmsgstr "%(a)s · %(b)s"\n'

        found = self.faults_of(po, (*SAID, Found("b.py", "%(a)s · %(b)s")), awaited={"Open %(name)s"})

        self.assertEqual(found, [])


class ExtractingTests(SimpleTestCase):
    def test_it_reads_marked_texts_of_python(self):
        source = (
            "from django.utils.translation import gettext as _, ngettext_lazy, pgettext\n"
            '_("One " "and two")\nngettext_lazy("%(n)s day", "%(n)s days", "n")\n'
            '# Translators: of a door\npgettext("verb", "Open")\n"not marked"\n'
        )

        found = list(extracting.in_python("a.py", source))

        self.assertEqual(
            found,
            [
                Found("a.py", "One and two"),
                Found("a.py", "%(n)s day", "%(n)s days"),
                Found("a.py", "Open", context="verb", comments=("Translators: of a door",)),
            ],
        )

    def test_it_reads_marked_texts_of_templates(self):
        source = (
            '{% load i18n %}<p title="{% translate \'It"s\' %}">Not marked (really)</p>{{ x|default:_("Nobody") }}'
            "{% blocktranslate count n=n %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}"
            '{% include "a.html" with text=_("Nothing yet") %}{% translate "Open" context "verb" %}'
        )

        found = list(extracting.in_template("a.html", source))

        self.assertEqual(
            found,
            [
                Found("a.html", 'It"s'),
                Found("a.html", "Nobody"),
                Found("a.html", "%(n)s day", "%(n)s days"),
                Found("a.html", "Nothing yet"),
                Found("a.html", "Open", context="verb"),
            ],
        )

    def test_it_says_which_texts_no_tool_finds(self):
        for call in ("_(name)", '_(f"{n} days")', 'ngettext("day", days, n)', 'pgettext(kind, "Open")'):
            with self.subTest(call):
                found = list(extracting.problems_in("a.py", f"from x import gettext as _, ngettext, pgettext\n{call}"))

                self.assertEqual(found, [f"a.py:2: not a literal: {call.replace(chr(34), chr(39))}"])


class UpdatingTests(SimpleTestCase):
    def test_it_keeps_translations_adds_new_texts_and_drops_old_ones(self):
        wanted = extracting.extraction((*SAID[1:], Found("b.py", "Closed")))

        result = catalogues.updated(catalogues.parse(PO.encode(), "de"), wanted, "de")

        self.assertEqual(
            {checking.entry_text(one): one.string for one in result if one.id},
            {
                "%(count)s alert": ("%(count)s Alarm", "%(count)s Alarme"),
                "Status": "Status",
                "Open": "Öffnen",
                "Closed": None,
            },
        )

    def test_it_writes_the_same_bytes_again_and_names_no_line_or_date(self):
        result = catalogues.updated(catalogues.parse(PO.encode(), "de"), extracting.extraction(SAID), "de")

        text = catalogues.po_bytes(result)

        self.assertEqual(text, catalogues.po_bytes(catalogues.parse(text, "de")))
        self.assertEqual(catalogues.mo_bytes(result), catalogues.mo_bytes(catalogues.parse(text, "de")))
        self.assertIn(b"#: a.py\n", text)
        self.assertNotIn(b"Date", text)

    def test_it_writes_lists_of_texts_line_by_line(self):
        text = "a\nb \\n c\\"

        with tempfile.TemporaryDirectory() as folder, mock.patch.object(catalogues, "FOLDER", Path(folder)):
            catalogues.write_lines(Path(folder) / "awaited.txt", {text, "x"})

            self.assertEqual(catalogues.awaited(), {text, "x"})
