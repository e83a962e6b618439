"""RSS 2.0 and Atom (RFC 4287): an entry for each update."""

import datetime as dt
import re
import uuid
from collections.abc import Callable

from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.translation import gettext as _
from django.utils.translation import override

from status_page.rendering.editions import prose_of
from status_page.rendering.snapshot import Announcement, Snapshot, Update

ENTRIES = 50
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
OURS = uuid.UUID("0b9c9a0e-6f0a-4a57-9a0e-3a5b1d6c2f11")
NEVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Rss(Rss201rev2Feed):
    def latest_post_date(self) -> dt.datetime:
        return _latest(self)


class Atom(Atom1Feed):
    def latest_post_date(self) -> dt.datetime:
        return _latest(self)


def feeds(snapshot: Snapshot, language: str, folder: str) -> dict[str, bytes]:
    """Return both feeds of a language."""
    return {
        f"{folder}feed.rss": _feed(Rss, snapshot, language, folder, "feed.rss"),
        f"{folder}feed.atom": _feed(Atom, snapshot, language, folder, "feed.atom"),
    }


def _feed(kind: Callable[..., SyndicationFeed], snapshot: Snapshot, language: str, folder: str, name: str) -> bytes:
    page, home = snapshot.page, f"{snapshot.page.url}{folder}"
    title = _legal(page.name.in_language(language))
    feed = kind(
        title=title,
        link=home,
        description=_legal(page.about.in_language(language)) or title,
        language=language,
        author_name=title,
        feed_url=f"{home}{name}",
    )
    with override(language):
        for announcement, update in _newest(snapshot):
            _add(feed, announcement, update, language, home)
    return feed.writeString("utf-8").encode()


def _add(feed: SyndicationFeed, announcement: Announcement, update: Update, language: str, home: str) -> None:
    said = _("%(state)s: %(title)s") % {
        "state": update.state.label,
        "title": announcement.title.in_language(language),
    }
    feed.add_item(
        title=_legal(said),
        link=f"{home}incidents/{announcement.uid}.html#update-{update.id}",
        description=_legal(prose_of(update.message.in_language(language))),
        unique_id=f"urn:uuid:{uuid.uuid5(OURS, f'{announcement.uid} {update.id}')}",
        unique_id_is_permalink=False,
        pubdate=update.at,
        updateddate=update.corrected_at or update.at,
        categories=[update.state.value],
    )


def _newest(snapshot: Snapshot) -> list[tuple[Announcement, Update]]:
    found = [(announcement, update) for announcement in snapshot.announcements for update in announcement.updates]
    return sorted(found, key=lambda pair: (pair[1].at, pair[1].id), reverse=True)[:ENTRIES]


def _latest(feed: SyndicationFeed) -> dt.datetime:
    return max((item["updateddate"] for item in feed.items), default=NEVER)


def _legal(text: str) -> str:
    """Return text without what XML cannot hold."""
    return ILLEGAL.sub("", str(text))
