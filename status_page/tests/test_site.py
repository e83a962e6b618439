import re
from html.parser import HTMLParser
from unittest import mock
from urllib.parse import urljoin

import orjson
from django.test import SimpleTestCase

from status_page.rendering import render
from status_page.rendering.snapshot import Group, Snapshot, Span, Text, Update
from status_page.tests.snapshots import HOSTILE, NOW, ago, announcement, component, snapshot, text
from status_page.vocabulary import Impact, Kind, State

VOID = {"br", "hr", "img", "input", "link", "meta", "rect", "path"}


class Reader(HTMLParser):
    """Elements, links and text of a page; fails on tags that do not match."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.links, self.open, self.text, self.ids = [], [], [], "", []
        self.feed(source)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        facts = dict(attributes)
        self.ids += [facts["id"]] if "id" in facts else []
        self.links += [facts[name] for name in ("href", "src", "action") if name in facts]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


def pages(files):
    return {name: Reader(content.decode()) for name, content in files.items() if name.endswith(".html")}


FULL = snapshot(
    announcement(),
    announcement(uid="a2", title=text("Slow search"), impact=Impact.DEGRADED),
    announcement(
        uid="m1", kind=Kind.MAINTENANCE, state=State.SCHEDULED, starts_at=ago(hours=-5), ends_at=ago(hours=-6)
    ),
    announcement(
        uid="old",
        state=State.RESOLVED,
        ended_at=ago(days=3),
        starts_at=ago(days=3, hours=2),
        review=text("# Why\nDisk"),
    ),
    announcement(uid="older", state=State.RESOLVED, ended_at=ago(days=80), starts_at=ago(days=80)),
    components=(component(1, Span(Impact.PARTIAL_OUTAGE, ago(hours=1))), component(2, name=text("API"))),
    logo=b"\x89PNG",
)


class SiteTests(SimpleTestCase):
    def test_it_writes_each_language_and_the_main_one_at_the_root(self):
        files = render(FULL, NOW)

        for folder in ("", "en/", "de/"):
            for name in ("index.html", "feed.rss", "feed.atom", "404.html", "subscribe.html", "history/index.html"):
                self.assertIn(f"{folder}{name}", files)
            self.assertIn(f"{folder}incidents/a1.html", files)
            self.assertIn(f"{folder}history/2026-09.html", files)
        self.assertIn("index.de.html", files)
        self.assertIn(b'<html lang="de">', files["index.de.html"])
        self.assertEqual(list(files)[-1], "manifest.json")

    def test_it_holds_no_script_and_no_style_in_markup(self):
        for name, page in pages(render(FULL, NOW)).items():
            with self.subTest(name):
                self.assertFalse({"script", "style", "iframe"} & {tag for tag, _facts in page.elements})
                self.assertEqual(
                    [facts for _tag, facts in page.elements for key in facts if key.startswith("on") or key == "style"],
                    [],
                )
                self.assertEqual(len(page.ids), len(set(page.ids)))

    def test_it_links_only_to_what_is_there(self):
        files = render(FULL, NOW)
        forms = {"subscribe/"}
        for name, page in pages(files).items():
            base = f"https://acme.example/status/{'' if name.endswith(('404.html', 'private.html')) else name}"
            for link in page.links:
                target = urljoin(base, link).split("#")[0]
                if not target.startswith("https://acme.example/status/"):
                    self.assertTrue(link.startswith(("#", "http")), link)
                    continue
                path = target.removeprefix("https://acme.example/status/")
                path = (
                    path + "index.html"
                    if path in ("", *(f"{code}/" for code in ("en", "de"))) or path.endswith("history/")
                    else path
                )
                with self.subTest(page=name, link=link):
                    self.assertTrue(path in files or path in forms)

    def test_it_links_relatively(self):
        for name, page in pages(render(FULL, NOW)).items():
            if not name.endswith(("404.html", "private.html")):
                with self.subTest(name):
                    self.assertEqual([link for link in page.links if link.startswith("/")], [])

    def test_it_says_how_all_is(self):
        for spans, sentence in (
            ((), "All systems operational"),
            ((Span(Impact.DEGRADED, ago(hours=1)),), "Some systems are slower than usual"),
            ((Span(Impact.PARTIAL_OUTAGE, ago(hours=1)),), "Some systems are not available"),
            ((Span(Impact.MAJOR_OUTAGE, ago(hours=1)),), "Major outage"),
            ((Span(Impact.MAINTENANCE, ago(hours=1)),), "Maintenance in progress"),
            ((Span(Impact.MAJOR_OUTAGE, ago(hours=2), ago(hours=1)),), "All systems operational"),
        ):
            with self.subTest(sentence):
                page = render(snapshot(components=(component(1, *spans),)), NOW)["index.html"].decode()

                self.assertIn(f"<span>{sentence}</span></h1>", page)

    def test_it_shows_several_incidents_with_updates_newest_first(self):
        updates = (
            Update(2, State.IDENTIFIED, text("A disk is full."), ago(minutes=5), ago(minutes=2)),
            Update(1, State.INVESTIGATING, text("We look into it."), ago(hours=1)),
        )
        page = render(snapshot(announcement(updates=updates), announcement(uid="b")), NOW)["index.html"].decode()

        self.assertLess(page.index("A disk is full."), page.index("We look into it."))
        self.assertIn("Corrected:", page)
        self.assertEqual(page.count("<article"), 2)

    def test_it_marks_what_has_no_translation(self):
        page = render(FULL, NOW)["de/index.html"].decode()

        self.assertIn('<span lang="en">Slow search</span>', page)
        self.assertIn("Kasse gestört", page)
        self.assertNotIn("Checkout fails", page)

    def test_it_writes_times_in_the_pages_zone(self):
        page = render(FULL, NOW)["index.html"].decode()

        self.assertIn('<time datetime="2026-11-30T12:00:00Z">30 Nov 2026 13:00 CET</time>', page)

    def test_it_tells_uptime_and_bad_days_in_words(self):
        spans = (Span(Impact.MAJOR_OUTAGE, ago(days=2, seconds=1), ago(days=2)),)
        page = render(snapshot(components=(component(1, *spans),)), NOW)["index.html"].decode()

        self.assertIn("99.99 % uptime", page)
        self.assertRegex(page, r'<ul class="visually-hidden"><li>[^<]*28[^<]*: Major outage</li></ul>')

    def test_it_unfolds_all_groups_of_a_short_page_and_affected_ones_of_a_long_one(self):
        whole = snapshot()
        groups = (
            Group(text("Web"), (component(1, Span(Impact.DEGRADED, ago(hours=1))),)),
            Group(text("Other"), (component(2),)),
        )

        for most, expected in ((2, [True, True]), (1, [True, False])):
            with mock.patch("status_page.rendering.contexts.MOST_UNFOLDED", most):
                page = Reader(render(Snapshot(whole.page, groups), NOW)["index.html"].decode())

            self.assertEqual(["open" in facts for tag, facts in page.elements if tag == "details"], expected)

    def test_it_shows_published_reviews(self):
        page = render(FULL, NOW)["incidents/old.html"].decode()

        self.assertIn('<h2 id="review">', page)
        self.assertIn("<h3>Why</h3>", page)

    def test_it_survives_hostile_texts(self):
        mean = Text(HOSTILE, (("de", HOSTILE),))
        files = render(
            snapshot(
                announcement(
                    title=mean, components=(mean,), review=mean, updates=(Update(1, State.IDENTIFIED, mean, NOW),)
                ),
                components=(component(1, Span(Impact.DEGRADED, ago(hours=1)), name=mean, description=mean),),
                name=mean,
                about=mean,
            ),
            NOW,
        )

        for name, page in pages(files).items():
            with self.subTest(name):
                self.assertNotIn("script", {tag for tag, _facts in page.elements})
                self.assertEqual(files[name].count(b"<!--stale-->"), 0 if name.endswith("private.html") else 1)

    def test_it_names_files_by_their_content(self):
        one, other = render(FULL, NOW), render(snapshot(logo=b"\x89PNG other"), NOW)

        logos = [next(name for name in files if name.startswith("logo-")) for files in (one, other)]
        self.assertNotEqual(*logos)
        self.assertTrue(all(re.fullmatch(r"logo-[0-9a-f]{12}\.png", name) for name in logos))

    def test_it_offers_no_form_where_nobody_can_subscribe(self):
        files = render(snapshot(takes_subscribers=False), NOW)

        self.assertNotIn("subscribe.html", files)
        self.assertNotIn(b"subscribe.html", files["index.html"])

    def test_it_keeps_private_pages_out_of_search_engines(self):
        files = render(snapshot(is_private=True, access_digest="d" * 64), NOW)

        self.assertIn(b"noindex", files["index.html"])
        self.assertEqual(orjson.loads(files["manifest.json"])["access_digest"], "d" * 64)

    def test_it_changes_only_the_first_pages_with_time(self):
        import datetime as dt

        before, after = render(FULL, NOW), render(FULL, NOW + dt.timedelta(seconds=60))

        changed = {name for name in before if before[name] != after[name]}
        self.assertEqual(
            changed, {"index.html", "index.de.html", "en/index.html", "de/index.html", "status.json", "manifest.json"}
        )
