"""Everything that the page shows, as plain values; times are UTC."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from status_page.vocabulary import RANK, Impact, Kind, State

LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Text:
    """A text in the page's main language, and its translations by code."""

    main: str
    others: tuple[tuple[str, str], ...] = ()

    def translated(self, language: str) -> str | None:
        """Return the translation, if there is one."""
        return next((text for code, text in self.others if code == language and text), None)

    def in_language(self, language: str) -> str:
        """Return the translation, or else what it says in the main language."""
        return self.translated(language) or self.main


@dataclass(frozen=True)
class Page:
    """How the page presents itself; the first of the languages is its main one."""

    name: Text
    about: Text = Text("")
    support_url: str = ""
    logo: bytes = b""  # PNG
    languages: tuple[str, ...] = ("en",)
    time_zone: str = "UTC"
    is_private: bool = False
    access_digest: str = ""
    takes_subscribers: bool = True
    url: str = "http://127.0.0.1:8000/status/"  # the first page's
    access_url: str = "http://127.0.0.1:8000/status-access/"  # lets those in who sign in
    revision: int = field(default=1, compare=False)  # pages that are kept do not depend on it


@dataclass(frozen=True)
class Span:
    """A time during which a component was affected; `ended_at` is None while it is."""

    impact: Impact
    began_at: dt.datetime
    ended_at: dt.datetime | None = None


@dataclass(frozen=True)
class Component:
    id: int
    name: Text
    description: Text = Text("")
    shows_uptime: bool = True
    created_at: dt.datetime = LONG_AGO
    spans: tuple[Span, ...] = ()

    @property
    def status(self) -> Impact:
        """Return the worst of what affects it."""
        return worst(span.impact for span in self.spans if span.ended_at is None)


@dataclass(frozen=True)
class Group:
    """Components that belong together; without a name, those that belong nowhere."""

    name: Text | None
    components: tuple[Component, ...]

    @property
    def status(self) -> Impact:
        return worst(component.status for component in self.components)


@dataclass(frozen=True)
class Update:
    id: int
    state: State
    message: Text
    at: dt.datetime
    corrected_at: dt.datetime | None = None


@dataclass(frozen=True)
class Announcement:
    """An incident or maintenance, its updates newest first."""

    uid: str
    kind: Kind
    title: Text
    impact: Impact
    state: State
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    components: tuple[Text, ...] = ()
    component_ids: tuple[int, ...] = ()
    updates: tuple[Update, ...] = ()
    review: Text = Text("")


@dataclass(frozen=True)
class Snapshot:
    """The page and all it shows: announcements newest first, groups and components in their order."""

    page: Page
    groups: tuple[Group, ...] = ()
    announcements: tuple[Announcement, ...] = ()

    @property
    def incidents(self) -> list[Announcement]:
        """Return open incidents."""
        return [one for one in self.announcements if one.kind == Kind.INCIDENT and one.ended_at is None]

    @property
    def maintenance(self) -> list[Announcement]:
        """Return maintenance that is planned or in progress, the next first."""
        found = [one for one in self.announcements if one.kind == Kind.MAINTENANCE and one.ended_at is None]
        return sorted(found, key=lambda one: one.starts_at)

    @property
    def components(self) -> list[Component]:
        return [component for group in self.groups for component in group.components]

    @property
    def status(self) -> Impact:
        """Return the worst of all components and of what is announced now."""
        announced = [one.impact for one in self.incidents]
        announced += [Impact.MAINTENANCE for one in self.maintenance if one.state == State.IN_PROGRESS]
        return worst([*announced, *(component.status for component in self.components)])


def worst(impacts: Iterable[Impact]) -> Impact:
    """Return the worst of some impacts; operational, where there is none."""
    return max(impacts, key=lambda impact: RANK[impact], default=Impact.OPERATIONAL)
