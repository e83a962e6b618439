import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from django.test import SimpleTestCase

from console.tests.markup import MARK, ROOT, Template, template, templates
from console.tests.test_markup import modules

WORD = re.compile(r"[^\W\d_]{2,}")
UNTRANSLATED = {"code", "kbd", "pre", "samp", "script", "style"}
# Said alike in every language.
INTERNATIONAL = {
    "INC",
    "UTC",
    "CSV",
    "ICS",
    "JSON",
    "API",
    "RSS",
    "Atom",
    "kB",
    "MB",
    "MTTA",
    "MTTR",
    "SLA",
    "ms",
    "https",
    "nbsp",
}
SPOKEN = {"title", "aria-label", "aria-description", "aria-roledescription", "placeholder", "alt", "label"}
BUTTONS = {"submit", "button", "reset"}
# Tags and filters whose quoted words are formats or names.
FORMATS = re.compile(
    r"\|\s*(?:date|time|yesno_code|add|join|slice|cut|json_script)\s*:\s*$|\bnow\s+$|==\s*$|!=\s*$|\bin\s+$"
)
QUOTED = re.compile(r"""(?P<before>.*?)(?P<quote>["'])(?P<text>.*?)(?P=quote)""", re.DOTALL)
SENTENCE = re.compile(r"[^\W\d_]{2,}[,.]?\s+[^\W\d_]{2,}|^[A-Z][a-z]+$")
GETTEXT = {
    *("_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext", "_lazy"),
}
SHOWN_ARGUMENTS = {"label", "help_text", "verbose_name", "empty_label"}


class TemplateTextTests(SimpleTestCase):
    def test_it_marks_every_text_for_translation(self):
        self.assertEqual([fault for page in templates() for fault in unmarked(page)], [])

    def test_it_sees_texts_that_are_not_marked(self):
        for source in (
            "<p>Hello</p>",
            "<p>{{ count }} incidents</p>",
            '<a title="Go there">{% translate "x" %}</a>',
            '<input type="submit" value="Save">',
            '{% include "a.html" with text="Nothing yet" %}',
            '{{ name|default:"no owner" }}',
        ):
            with self.subTest(source):
                self.assertEqual(len(list(unmarked(template(source)))), 1)

    def test_it_passes_over_what_nobody_translates(self):
        source = (
            '<p>{% translate "Hello" %} · UTC</p><code>pip install</code>{# Hello #}<input type="text" value="{{ x }}">'
            "{% blocktranslate %}a b{% endblocktranslate %}"
            '{{ at|date:"j M Y" }}{% include "a b.html" with text=_("Nothing yet") %}{% url "console:incident list" %}'
            '<input type="hidden" value="next page">{% if a == "in progress" %}{% endif %}'
        )

        self.assertEqual(list(unmarked(template(source))), [])

    def test_it_makes_no_sentence_out_of_pieces(self):
        self.assertEqual([fault for page in templates() for fault in concatenated(page)], [])

    def test_it_sees_sentences_made_of_pieces(self):
        for source in (
            '<p>{% translate "Opened by" %} {{ name }}</p>',
            '<p>{{ count }} {% translate "open" %}</p>',
            '<p>{% translate "Opened" %} {% when at %}</p>',
            '<p>{% translate "Open" %}{% if late %} {% translate "and late" %}{% endif %}</p>',
            '<p>{% translate "Read" %} <a href="x">{% translate "the manual" %}</a></p>',
        ):
            with self.subTest(source):
                self.assertEqual(len(list(concatenated(template(source)))), 1)

    def test_it_lets_labels_lists_and_choices_pass(self):
        for source in (
            '<p>{% translate "Owner:" %} {{ name }}</p>',
            '<dt>{% translate "Owner" %}</dt><dd>{{ name }}</dd>',
            '<p>{% if a %}{% translate "Open" %}{% else %}{% translate "closed" %}{% endif %}</p>',
            '<p>{% translate "Opened" %} · {% when at %}</p>',
            '<p>{% icon "x" %} {% translate "Save" %} ({{ count }})</p>',
            '<p>{% translate "Nothing found." %} <a href="x">{% translate "Clear the filter" %}</a></p>',
            '{% translate "x" as y %}{{ y }}',
            '<p>{% translate "Nobody is on call." %} {{ text }} {% translate "Ask somebody." %}</p>',
            "<p>{% duration seconds as late %}{% blocktranslate %}waits for {{ late }}{% endblocktranslate %}</p>",
        ):
            with self.subTest(source):
                self.assertEqual(list(concatenated(template(source))), [])


class PythonTextTests(SimpleTestCase):
    def test_it_translates_whole_literals(self):
        found = [fault for path in python_files() for fault in python_faults(path.read_text(encoding="utf-8"), path)]

        self.assertEqual(found, [])

    def test_it_sees_what_cannot_be_translated(self):
        for source in (
            '_(f"{count} open")',
            '_("open") + name',
            "f\"{_('open')} {name}\"",
            '_("%d open" % count)',
            'messages.success(request, "Saved")',
            'forms.CharField(label="Title")',
            "_(name)",
        ):
            with self.subTest(source):
                self.assertEqual(len(list(python_faults(source, ROOT / "x.py"))), 1)

    def test_it_lets_whole_sentences_pass(self):
        source = '_("%(count)d open") % {"count": 1}\n_("{n} open").format(n=1)\nmessages.success(request, _("Saved"))'

        self.assertEqual(list(python_faults(source, ROOT / "x.py")), [])


class ModuleTextTests(SimpleTestCase):
    def test_it_keeps_sentences_out_of_modules(self):
        said = re.compile(
            r"""(?:textContent\s*=|\btoast\(|\balert\(|ariaLabel\s*=|\.title\s*=)\s*["'`]([^"'`]*)["'`]"""
        )
        found = [f"{name}: {match[1]}" for name, text in modules() for match in said.finditer(text) if words(match[1])]

        self.assertEqual(found, [])


def words(text: str) -> list[str]:
    return [word for word in WORD.findall(MARK.sub(" ", text)) if word not in INTERNATIONAL]


def unmarked(page: Template) -> Iterator[str]:
    """Texts of the page that no translator sees."""
    for run in page.runs:
        for kind, text, line, inside in run:
            if kind == "text" and not UNTRANSLATED & set(inside) and words(text):
                yield f"{page.path}:{line}: {MARK.sub('…', text).strip()!r}"
    for element in page.elements:
        for name, value in element.attributes.items():
            is_button = name == "value" and element.name == "input" and element.attributes.get("type") in BUTTONS
            if (name in SPOKEN or is_button) and words(value):
                yield f"{page.path}:{element.line}: {name}={MARK.sub('…', value)!r}"
    for piece in page.pieces:
        if piece.kind != "translated":
            yield from (f"{page.path}:{piece.line}: {text!r}" for text in quoted_texts(piece.text))


def quoted_texts(tag: str) -> Iterator[str]:
    """Quoted words with a space between, not inside `_()`, in what is no address or format."""
    if tag.split(None, 1)[:1] and tag.split(None, 1)[0] in ("url", "static", "load", "extends", "translate", "trans"):
        return
    before = ""
    for match in QUOTED.finditer(tag):
        before = match["before"]
        text = match["text"]
        if before.endswith("_(") or FORMATS.search(before) or text.endswith(".html"):
            continue
        if SENTENCE.search(text):
            yield text


def concatenated(page: Template) -> Iterator[str]:
    """Runs in which a translated text is continued by another piece."""
    for run in page.runs:
        pieces = list(pieces_of(page, run))
        for one, other in pairwise(pieces):
            if is_continued(one, other):
                yield f"{page.path}:{other[2] or one[2]}: {one[1]!r} + {other[1]!r}"
                break


def pieces_of(page: Template, run: list) -> Iterator[tuple[str, str, int]]:
    for kind, text, line, inside in run:
        if kind == "inline":
            yield "inline", text, line
            continue
        if UNTRANSLATED & set(inside):
            continue
        for part in re.split(f"({MARK.pattern})", text):
            if MARK.match(part):
                piece = page.piece(part)
                if piece.kind != "nothing":
                    yield piece.kind, piece.text, piece.line
            elif part.strip():
                yield "literal", part.strip(), line


def is_continued(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    kinds = {one[0], other[0]}
    if kinds == {"inline", "translated"}:
        # Only known from both sides of the element: what follows it begins small.
        return one[0] == "inline" and other[1][:1].islower() and one[1] == "a" and "." not in other[1]
    if "translated" not in kinds or not kinds <= {"translated", "value"}:
        return False
    if one[0] == "translated" and one[1].rstrip().endswith(":"):
        return False
    return not all(is_sentence(text) for kind, text, _line in (one, other) if kind == "translated")


def is_sentence(text: str) -> bool:
    return text[:1].isupper() and text.rstrip().endswith((".", "!", "?", "…"))


def python_files() -> list[Path]:
    return sorted(path for path in (ROOT / "console").rglob("*.py") if not {"tests", "migrations"} & set(path.parts))


def python_faults(source: str, path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if said := python_fault(node):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {said}"


def python_fault(node: ast.AST) -> str:
    if is_gettext(node) and not all(isinstance(argument, ast.Constant) for argument in node.args[:1]):
        return f"not a literal: {ast.unparse(node)}"
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and (is_gettext(node.left) or is_gettext(node.right))
    ):
        return f"added: {ast.unparse(node)}"
    if isinstance(node, ast.JoinedStr) and any(is_gettext(inner) for inner in ast.walk(node)):
        return f"in an f-string: {ast.unparse(node)}"
    if isinstance(node, ast.Call):
        return unmarked_argument(node)
    return ""


def unmarked_argument(call: ast.Call) -> str:
    shown = [keyword.value for keyword in call.keywords if keyword.arg in SHOWN_ARGUMENTS]
    if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "messages":
        shown += call.args[1:2]
    texts = [value.value for value in shown if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return next((f"not marked: {text!r}" for text in texts if words(text)), "")


def is_gettext(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GETTEXT
