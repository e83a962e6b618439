import email.utils
import re
import uuid
from xml.etree import ElementTree

from django.test import SimpleTestCase

from status_page.rendering import render
from status_page.rendering.snapshot import Text, Update
from status_page.tests.snapshots import HOSTILE, NOW, ago, announcement, snapshot, text
from status_page.vocabulary import State

ATOM = "{http://www.w3.org/2005/Atom}"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
UPDATES = (
    Update(2, State.IDENTIFIED, text("A disk is full.", "Eine Disk ist voll."), ago(minutes=5), ago(minutes=1)),
    Update(1, State.INVESTIGATING, text("We look into it."), ago(hours=1)),
)


def feed(name, /, *announcements, **page):
    return ElementTree.fromstring(render(snapshot(*announcements, **page), NOW)[name])


class RssTests(SimpleTestCase):
    def test_it_is_valid(self):
        root = feed("feed.rss", announcement(updates=UPDATES))
        channel = root.find("channel")

        self.assertEqual((root.tag, root.get("version")), ("rss", "2.0"))
        self.assertTrue(all(channel.findtext(name) for name in ("title", "link", "description", "language")))
        self.assertEqual(
            channel.find(f"{ATOM}link").attrib, {"href": "https://acme.example/status/feed.rss", "rel": "self"}
        )
        items = channel.findall("item")
        self.assertEqual(
            [item.findtext("title") for item in items], ["Identified: Checkout fails", "Investigating: Checkout fails"]
        )
        for item in items:
            self.assertEqual(item.find("guid").get("isPermaLink"), "false")
            self.assertIsNotNone(email.utils.parsedate_to_datetime(item.findtext("pubDate")).tzinfo)
            self.assertTrue(item.findtext("link").startswith("https://acme.example/status/incidents/a1.html#update-"))

    def test_it_speaks_each_language(self):
        channel = feed("de/feed.rss", announcement(updates=UPDATES)).find("channel")

        self.assertEqual(channel.findtext("language"), "de")
        self.assertIn("Kasse gestört", channel.find("item").findtext("title"))
        self.assertIn("/status/de/incidents/a1.html", channel.find("item").findtext("link"))


class AtomTests(SimpleTestCase):
    def test_it_is_valid(self):
        root = feed("feed.atom", announcement(updates=UPDATES))

        self.assertEqual(root.tag, f"{ATOM}feed")
        for name in ("id", "title", "updated"):
            self.assertEqual(len(root.findall(f"{ATOM}{name}")), 1)
        self.assertTrue(root.findtext(f"{ATOM}author/{ATOM}name"))
        self.assertIn("self", [link.get("rel") for link in root.findall(f"{ATOM}link")])
        entries = root.findall(f"{ATOM}entry")
        for entry in entries:
            uuid.UUID(entry.findtext(f"{ATOM}id").removeprefix("urn:uuid:"))
            self.assertRegex(entry.findtext(f"{ATOM}updated"), RFC_3339)
            self.assertRegex(entry.findtext(f"{ATOM}published"), RFC_3339)
        self.assertEqual(len({entry.findtext(f"{ATOM}id") for entry in entries}), 2)
        self.assertEqual(entries[0].findtext(f"{ATOM}updated"), "2026-11-30T11:59:00+00:00")

    def test_it_keeps_the_ids_of_entries(self):
        one, other = (
            feed("feed.atom", announcement(title=text(title)), name=text(title)) for title in ("First", "Second")
        )

        path = f"{ATOM}entry/{ATOM}id"
        self.assertEqual(one.findtext(path), other.findtext(path))

    def test_it_does_not_change_by_itself(self):
        self.assertEqual(render(snapshot(), NOW)["feed.atom"], render(snapshot(), ago(days=-1))["feed.atom"])


class HostileTests(SimpleTestCase):
    def test_it_survives_what_xml_cannot_hold(self):
        mean = Text(HOSTILE)
        for name in ("feed.rss", "feed.atom"):
            with self.subTest(name):
                root = feed(
                    name, announcement(title=mean, updates=(Update(1, State.IDENTIFIED, mean, NOW),)), name=mean
                )

                self.assertIn("<script>", "".join(root.itertext()))
