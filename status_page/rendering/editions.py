"""One language of the page below one folder: links, texts and times as its readers need them."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from django.conf.locale import LANG_INFO
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.text.markdown import render_note
from core.text.moments import shown, shown_in
from core.text.zones import zone_named
from status_page.rendering.snapshot import Page, Text
from status_page.vocabulary import Impact


@dataclass(frozen=True)
class Files:
    """The names of what all pages link to."""

    style: str
    icon: str
    logo: str = ""


@dataclass(frozen=True)
class Edition:
    """A file of a language: `folder` is where its links lead, "" or "de/", `path` where it lies.

    With `root`, its links are absolute: it is shown at any address.
    """

    page: Page
    files: Files
    language: str
    folder: str
    path: str
    root: str = ""

    @property
    def up(self) -> str:
        """Return what leads from the file to the page's root."""
        return self.root or "../" * self.path.count("/")

    @property
    def anywhere(self) -> "Edition":
        """Return what is the same for all files of the language; it has no links."""
        return Edition(self.page, self.files, self.language, "", "")

    @property
    def home(self) -> str:
        return f"{self.up}{self.folder}" or "./"

    def link(self, path: str) -> str:
        """Return the link to a file of this language."""
        return f"{self.up}{self.folder}{path}"

    @property
    def inside(self) -> str:
        """Return the file's path within its language; "" for the first page."""
        path = self.path.removeprefix(self.folder) if self.folder else self.path
        return "" if path.startswith("index.") or self.root else path.removesuffix("index.html")

    def text(self, text: Text) -> SafeString:
        """Return an escaped text, marked where it is of the main language."""
        if self.language == self.page.languages[0] or text.translated(self.language):
            return format_html("{}", text.in_language(self.language))
        return format_html('<span lang="{}">{}</span>', self.page.languages[0], text.main)

    def prose(self, text: Text) -> SafeString:
        """Return what people wrote as HTML."""
        said = prose_of(text.in_language(self.language))
        if self.language == self.page.languages[0] or text.translated(self.language):
            return said
        return format_html('<div lang="{}">{}</div>', self.page.languages[0], said)

    def when(self, moment: dt.datetime) -> SafeString:
        """Return a time in the page's zone, which it names."""
        return format_html('<time datetime="{}">{}</time>', iso(moment), self.clock(moment))

    def clock(self, moment: dt.datetime) -> str:
        return clock(moment, self.page.time_zone)

    def day(self, date: dt.date) -> str:
        return shown(date, "date")

    def context(self) -> dict[str, object]:
        """Return what every page of it shows."""
        return {
            "page": self.page,
            "name": self.text(self.page.name),
            "plain_name": self.page.name.in_language(self.language),
            "language": self.language,
            "languages": self.languages(),
            "home": self.home,
            "style": f"{self.up}{self.files.style}",
            "icon": f"{self.up}{self.files.icon}",
            "logo": f"{self.up}{self.files.logo}" if self.files.logo else "",
            "rss": self.link("feed.rss"),
            "atom": self.link("feed.atom"),
            "json": f"{self.up}status.json",
            "access": self.page.access_url,
            "history": self.link("history/"),
            "subscribe": self.link("subscribe.html") if self.page.takes_subscribers else "",
        }

    def languages(self) -> list[dict[str, object]]:
        """Return links to the same page in each language; none, if there is one only."""
        codes = self.page.languages if len(self.page.languages) > 1 else ()
        return [
            {
                "code": code,
                "label": language_name(code),
                "link": f"{self.up}{code}/{self.inside}",
                "is_current": code == self.language,
            }
            for code in codes
        ]


def clock(moment: dt.datetime, time_zone: str) -> str:
    """Return a time to the minute, with its zone, as readers of the active language write it."""
    return shown_in(moment, zone_named(time_zone), "long", has_zone=True)


@lru_cache(maxsize=4096)
def prose_of(text: str) -> SafeString:
    return render_note(text)


def iso(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def language_name(code: str) -> str:
    """Return a language's own name."""
    known = LANG_INFO.get(code) or LANG_INFO.get(code.partition("-")[0]) or {}
    name = str(known.get("name_local", code))
    return name[:1].upper() + name[1:]


def overall(status: Impact) -> str:
    """Return what stands above all, as a sentence."""
    return {
        Impact.OPERATIONAL: _("All systems operational"),
        Impact.MAINTENANCE: _("Maintenance in progress"),
        Impact.DEGRADED: _("Some systems are slower than usual"),
        Impact.PARTIAL_OUTAGE: _("Some systems are not available"),
        Impact.MAJOR_OUTAGE: _("Major outage"),
    }[status]
