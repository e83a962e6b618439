import re
from collections.abc import Iterator

from django.test import SimpleTestCase

from console.tests.markup import MARK, ROOT, Template, template, templates

# What of htmx is used. The rest either evaluates text, which the CSP forbids, or nobody needs.
HTMX = {
    *("get", "post", "target", "swap", "trigger", "push-url", "replace-url", "select", "include", "indicator"),
    *("swap-oob", "select-oob", "sync", "preserve", "vals", "headers", "encoding", "disable", "boost"),
}
DATA_SCRIPTS = {"application/json"}
EVALUATING = re.compile(
    r"\beval\(|\bnew Function\b|document\.write|setTimeout\(\s*[\"'`]|setInterval\(\s*[\"'`]|"
    r"setAttribute\(\s*[\"']style[\"']|setAttribute\(\s*[\"']on|\bcssText\b|javascript:"
)
RAW_HTML = re.compile(r"\.(?:innerHTML|outerHTML)\s*=|insertAdjacentHTML|createContextualFragment|parseFromString")
# Modules that put HTML into the page, and why it is safe.
MAY_WRITE_HTML = {
    **dict.fromkeys(
        ("incident.js", "list.js", "palette.js", "oncall.js", "system.js", "tail.js"),
        "pages that the server rendered and escaped",
    ),
    "composer.js": "the preview, which the server cleaned",
}
# Templates that print text as it is, and why it is safe.
MAY_PRINT_RAW: dict[str, str] = {}
# Forms in files, which hold no token, and why nothing trusts a session there.
MAY_LACK_TOKEN = {
    "status_page/templates/status_page/subscribe.html": "strangers ask for a mail to confirm",
    "status_page/templates/status_page/answer.html": "what opens from a mail acts by its signed address",
}
UNESCAPED = re.compile(r"\|\s*safe(?:seq)?\b|\bautoescape\s+off\b")


class MarkupTests(SimpleTestCase):
    def test_it_runs_no_script_and_sets_no_style_in_markup(self):
        self.assertEqual([fault for page in templates() for fault in faults(page)], [])

    def test_it_sees_what_is_banned(self):
        for source in (
            '<p style="color: red">',
            '<p {% if x %}style="{{ y }}"{% endif %}>',
            "<script>alert(1)</script>",
            "<style>p { }</style>",
            '<button onclick="go()">',
            '<a href="javascript:go()">',
            '<div hx-on:click="go()">',
            '<div hx-on="click: go()">',
            '<div hx-live="x">',
            '<div hx-vals="js:{a: 1}">',
            '<div hx-ext="sse">',
            '<div hx-sse:connect="/stream">',
            '<div sse-connect="/stream">',
            "<div hx-trigger=\"keyup[key=='Enter']\">",
            '<div hx-confirm="Sure?">',
            '{% blocktranslate %}<b style="x">a</b>{% endblocktranslate %}',
            '<script type="importmap">{}</script>',
        ):
            with self.subTest(source):
                self.assertEqual(len(list(faults(template(source)))), 1)

    def test_it_lets_the_rest_pass(self):
        source = (
            '<script type="module" src="{% static "console/x.js" %}"></script><b hx-get="/x" hx-target:inherited="#a">'
            '<script type="application/json" id="x">{}</script>{{ x|json_script:"y" }}<p data-style="a" class="on">'
            "{# <p style> #}{% comment %}<p style='x'>{% endcomment %}"
        )

        self.assertEqual(list(faults(template(source))), [])

    def test_it_sends_every_form_with_a_token(self):
        self.assertEqual([fault for page in templates() for fault in forms_without_token(page)], [])

    def test_it_sees_a_form_without_token(self):
        wrong = template('<form method="POST"></form><form method="post">{% csrf_token %}</form><form></form>')

        self.assertEqual(len(list(forms_without_token(wrong))), 1)

    def test_it_escapes_everything(self):
        raw = {page.path for page in templates() if UNESCAPED.search(page.source)}

        self.assertEqual(raw - set(MAY_PRINT_RAW), set())

    def test_it_evaluates_no_text_in_modules(self):
        found = [f"{name}: {match[0]}" for name, text in modules() for match in EVALUATING.finditer(text)]

        self.assertEqual(found, [])

    def test_it_knows_who_writes_html(self):
        found = {name for name, text in modules() if RAW_HTML.search(text)}

        self.assertEqual(found - set(MAY_WRITE_HTML), set())


def faults(page: Template) -> Iterator[str]:
    """What the content security policy would stop, or what is banned for being one step from it."""
    for seen in (page, *inner(page)):
        for element in seen.elements:
            where = f"{page.path}:{element.line}: <{element.name}>"
            if element.name == "style":
                yield f"{where} inline"
            is_data = element.attributes.get("type") in DATA_SCRIPTS
            if element.name == "script" and "src" not in element.attributes and not is_data:
                yield f"{where} inline"
            for name, value in element.attributes.items():
                if is_banned(name, value):
                    yield f"{where} {name}={MARK.sub('…', value)}"


def inner(page: Template) -> Iterator[Template]:
    """The markup within translated texts."""
    for piece in page.pieces:
        if piece.kind == "translated" and "<" in piece.text:
            yield template(piece.text, page.path)


def is_banned(name: str, value: str) -> bool:
    plain = value.strip().lower()
    if name.startswith("hx-"):
        known = name.removeprefix("hx-").split(":")[0] in HTMX
        return not known or plain.startswith(("js:", "javascript:")) or (name.startswith("hx-trigger") and "[" in value)
    return name == "style" or name.startswith(("sse-", "on")) or plain.startswith("javascript:")


def forms_without_token(page: Template) -> Iterator[str]:
    if page.path in MAY_LACK_TOKEN:
        return
    for form in re.finditer(r"<form\b[^>]*>.*?</form>", page.source, re.DOTALL | re.IGNORECASE):
        start = form[0].split(">", 1)[0]
        if re.search(r"method\s*=\s*[\"']?post", start, re.IGNORECASE) and "csrf_token" not in form[0]:
            yield f"{page.path}: {start}"


def modules() -> list[tuple[str, str]]:
    paths = sorted((ROOT / "static" / "console").rglob("*.js"))
    return [(path.name, without_comments(path.read_text(encoding="utf-8"))) for path in paths]


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", text, flags=re.DOTALL)
