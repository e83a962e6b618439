import re
from collections.abc import Iterator

from django.test import SimpleTestCase

from console.tests.markup import MARK, ROOT, templates
from console.tests.test_markup import modules

FOLDER = ROOT / "static" / "console"
TOKENS = "tokens.css"
NAMES = (
    "white|black|red|green|blue|gr[ae]y|silver|orange|yellow|purple|navy|teal|maroon|olive|lime|aqua|fuchsia|pink|gold"
)
LITERAL = re.compile(
    rf"#[0-9a-f]{{3,8}}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|(?<![\w-])(?:{NAMES})(?![\w-])",
    re.IGNORECASE,
)
DECLARATION = re.compile(r"(?P<name>[\w-]+)\s*:\s*(?P<value>[^;{}]+)[;}]")
ADDRESS = re.compile(r"url\([^)]*\)")
PAINTED = {"fill", "stroke", "color", "stop-color", "flood-color", "bgcolor"}
# What a device draws around pages is told in words, before any style is read.
MAY_NAME_COLOURS = {"theme-color"}
PHYSICAL = re.compile(
    r"^(?:(?:margin|padding|border)-(?:left|right)(?:-\w+)?|left|right|border-(?:top|bottom)-(?:left|right)-radius)$"
)


class ColourTests(SimpleTestCase):
    def test_it_takes_colours_from_tokens_only(self):
        found = [fault for path in sheets() if path.name != TOKENS for fault in colours(path.read_text(), path.name)]

        self.assertEqual(found, [])

    def test_it_paints_drawings_by_classes(self):
        found = [
            f"{page.path}:{element.line}: {name}={value!r}"
            for page in templates()
            for element in page.elements
            for name, value in element.attributes.items()
            if name in PAINTED and not value.startswith(("none", "currentColor", "url(#")) and not MARK.search(value)
        ]

        self.assertEqual(found, [])

    def test_it_names_no_colour_in_modules(self):
        quoted = re.compile(r"""["'`](#[0-9a-f]{3,8}|(?:rgba?|hsla?|oklch)\([^"'`]*)["'`]""", re.IGNORECASE)

        self.assertEqual([f"{name}: {match[1]}" for name, text in modules() for match in quoted.finditer(text)], [])

    def test_it_sees_colours(self):
        sheet = (
            "a { color: #fff; } b { background: rgb(1 2 3); border: 1px solid white } "
            "/* #000 */ .red { color: var(--red); background: url(x.svg#abc) } #add { inset: 0; }"
        )

        self.assertEqual(len(list(colours(sheet, "x.css"))), 3)


class DirectionTests(SimpleTestCase):
    def test_it_names_sides_by_the_direction_of_text(self):
        found = [
            f"{path.name}: {match['name']}: {match['value']}"
            for path in sheets()
            for match in declarations(path.read_text())
            if PHYSICAL.match(match["name"])
            or (match["name"] in ("text-align", "float") and match["value"].strip() in ("left", "right"))
        ]

        self.assertEqual(found, [])


def sheets() -> list:
    return sorted(FOLDER.rglob("*.css"))


def declarations(text: str) -> Iterator[re.Match[str]]:
    return DECLARATION.finditer(ADDRESS.sub("", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)))


def colours(text: str, name: str) -> Iterator[str]:
    for match in declarations(text):
        yield from (f"{name}: {match[0].strip()}" for _literal in LITERAL.findall(match["value"])[:1])
