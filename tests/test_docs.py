"""What the documentation promises about itself: links lead somewhere, and the README stays readable in one go."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.test import SimpleTestCase

from alerts.models import Alert
from incidents.models import Incident
from intake.endpoints import endpoints
from logs.endpoints.senders import LogEndpoint
from logs.formats import formats
from logs.models import LogEntry
from tests.databases import ROOT

LONGEST_README = 150
LARGEST_PICTURE = 200 * 1024
# [text](target) and ![text](target), but not what stands in code.
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    return [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "integrations").rglob("*.md")),
    ]


def links(page: Path) -> Iterator[str]:
    return (target for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_good(page: Path, target: str) -> bool:
    if target.startswith(("https://", "http://", "mailto:")):
        return True
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not anchor or anchor in anchors(file))


class DocsTests(SimpleTestCase):
    def test_it_links_only_to_what_is_there(self):
        broken = [
            f"{page.relative_to(ROOT)}: {target}"
            for page in pages()
            for target in links(page)
            if not is_good(page, target)
        ]

        self.assertEqual(broken, [])

    def test_it_lists_every_page_in_the_index(self):
        index = ROOT / "docs" / "README.md"
        listed = {(index.parent / target).resolve() for target in links(index) if "://" not in target}

        unlisted = [page.name for page in pages() if page.parent == index.parent and page not in {*listed, index}]

        self.assertEqual(unlisted, [])

    def test_it_says_nothing_twice_in_a_release_of_the_changelog(self):
        for release in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1:]:
            items = [
                *re.findall(r"^### .+$", release, re.MULTILINE),
                *re.split(r"^(?:- |#.*\n)", release, flags=re.MULTILINE),
            ]
            said = [" ".join(item.split()) for item in items]
            twice = {text for text in said if text and said.count(text) > 1}
            with self.subTest(release.splitlines()[0]):
                self.assertEqual(twice, set())

    def test_it_names_indexes_that_there_are(self):
        page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
        named = set(re.findall(r"`((?:incident|alert|log)_\w+)`", page))

        known = {index.name for model in (Incident, Alert, LogEntry) for index in model._meta.indexes}
        self.assertEqual(named - known - {"incident_response"}, set())

    def test_it_says_where_every_kind_of_log_line_is_sent(self):
        pages = [page.read_text(encoding="utf-8") for page in (ROOT / "integrations").rglob("*.md")]
        senders = [one for one in endpoints() if isinstance(one, LogEndpoint) and one.format not in ("", "own")]

        untold = [one.format for one in senders if not any(one.paths[0].removesuffix("/?") in page for page in pages)]

        self.assertEqual({one.format for one in senders}, set(formats()) - {"own"})
        self.assertEqual(untold, [])

    def test_it_keeps_the_readme_short(self):
        lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

        self.assertLessEqual(len(lines), LONGEST_README)

    def test_it_foretells_no_number_that_the_demo_decides(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")

        self.assertNotRegex(readme, r"INC-\d")

    def test_it_keeps_pictures_small(self):
        large = [
            picture.name for picture in (ROOT / "docs" / "images").glob("*") if picture.stat().st_size > LARGEST_PICTURE
        ]

        self.assertEqual(large, [])


class ComposeTests(SimpleTestCase):
    def test_it_does_not_serve_without_tls_because_of_a_developers_dotenv(self):
        """Compose puts the values of a `.env` beside it into the file, and `make run` writes PLAIN_HTTP=true there."""
        compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

        self.assertNotIn("${PLAIN_HTTP", compose)
