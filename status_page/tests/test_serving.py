import datetime as dt
import gzip
import hashlib

import orjson
from django.utils import timezone

from status_page import serving
from status_page.models import StatusPage
from status_page.services import writing
from status_page.services.page import new_access_key
from status_page.serving import Request, answer
from status_page.tests.factories import make_page, make_public_incident
from status_page.tests.test_writing import Folder
from users.tests.factories import make_admin


class Served(Folder):
    def setUp(self):
        super().setUp()
        make_page(name="Acme", translations={"de": {"name": "Acme DE"}})
        self.incident = make_public_incident()
        writing.write_page(self.now)

    def get(self, path="", *, at=None, query="", method="GET", prefix="/status/", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.assertNumQueries(0):
            return answer(Request(method, path, query, named, prefix), at or self.now)

    def age(self, **span):
        manifest = self.manifest()
        manifest["updated_at"] = (self.now - dt.timedelta(**span)).isoformat()
        (self.root / "manifest.json").write_bytes(orjson.dumps(manifest))


class ServingTests(Served):
    def test_it_serves_pages_without_a_database(self):
        for path, media_type in (
            ("", "text/html; charset=utf-8"),
            ("de/", "text/html; charset=utf-8"),
            ("history/", "text/html; charset=utf-8"),
            (f"incidents/{self.incident.uid}.html", "text/html; charset=utf-8"),
            ("status.json", "application/json"),
            ("feed.rss", "application/rss+xml; charset=utf-8"),
            ("de/feed.atom", "application/atom+xml; charset=utf-8"),
            (self.manifest()["style"], "text/css; charset=utf-8"),
        ):
            with self.subTest(path):
                reply = self.get(path)

                self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, media_type))
                self.assertIn("default-src 'none'", reply.headers["Content-Security-Policy"])
                self.assertNotIn("script-src", reply.headers["Content-Security-Policy"])
                self.assertEqual(reply.headers["X-Content-Type-Options"], "nosniff")

    def test_it_speaks_the_readers_language(self):
        for accepted, language in (
            ("", "en"),
            ("de", "de"),
            ("de-CH,de;q=0.9,en;q=0.8", "de"),
            ("fr,en;q=0.9,de;q=0.8", "en"),
            ("fr", "en"),
            ("*", "en"),
            ("\x00;;q=x", "en"),
        ):
            with self.subTest(accepted):
                reply = self.get(accept_language=accepted)

                self.assertEqual(reply.headers["Content-Language"], language)
                self.assertIn("Accept-Language", reply.headers["Vary"])
                self.assertIn(f'<html lang="{language}">'.encode(), reply.body)

    def test_it_keeps_to_the_language_of_the_address(self):
        reply = self.get("de/", accept_language="en")

        self.assertEqual((reply.headers["Content-Language"], reply.headers["Vary"]), ("de", "Accept-Encoding"))

    def test_it_serves_only_what_was_written(self):
        (self.root / "secret.html").write_text("secret")
        for path in (
            *("manifest.json", ".lock", "secret.html", "../page/index.html", "..", "de/../index.html", "//etc/passwd"),
            *("%2e%2e/manifest.json", "index.html/", "nothing", "de/nothing.html", "\x00", "404.html", "private.html"),
            *("index.html%00.css", "en/incidents/", "a" * 5000),
        ):
            with self.subTest(path[:30]):
                reply = self.get(path)

                self.assertEqual(reply.status, 404)
                missing = "Diese Seite gibt es hier nicht." if path.startswith("de/") else "There is no such page here."
                self.assertIn(missing.encode(), reply.body)

    def test_it_follows_no_links(self):
        (self.root / "index.html").unlink()
        (self.root / "index.html").symlink_to("/etc/hostname")

        self.assertEqual(self.get().status, 503)

    def test_it_leads_to_folders(self):
        reply = self.get("de")

        self.assertEqual((reply.status, reply.headers["Location"]), (301, "de/"))

    def test_it_spares_what_a_reader_has(self):
        tag = self.get().headers["ETag"]

        for given in (tag, f"W/{tag}", f'"x", {tag}'):
            reply = self.get(if_none_match=given)
            self.assertEqual((reply.status, reply.body), (304, b""))
        self.assertEqual(self.get(if_none_match='"x"').status, 200)
        self.assertEqual(self.get().headers["Cache-Control"], "no-cache")
        self.assertIn("immutable", self.get(self.manifest()["style"]).headers["Cache-Control"])

    def test_it_packs_what_is_long(self):
        plain, packed = self.get(), self.get(accept_encoding="br, gzip")

        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertNotEqual(plain.headers["ETag"], packed.headers["ETag"])
        self.assertNotIn("Content-Encoding", self.get(accept_encoding="gzip;q=0").headers)

    def test_it_shows_a_change_when_it_is_written(self):
        before = self.get()
        make_page(name="Renamed")
        writing.write_page(self.now)

        self.assertIn(b"Renamed", self.get().body)
        self.assertNotEqual(before.headers["ETag"], self.get().headers["ETag"])

    def test_it_lets_other_sites_read_feeds_and_json(self):
        for path, origin in (("status.json", "*"), ("feed.rss", "*"), ("feed.atom", "*"), ("", None)):
            self.assertEqual(self.get(path).headers.get("Access-Control-Allow-Origin"), origin)

    def test_it_asks_to_come_again_before_the_first_writing(self):
        (self.root / "manifest.json").unlink()

        reply = self.get()

        self.assertEqual((reply.status, reply.headers["Retry-After"]), (503, "20"))

    def test_it_survives_a_broken_manifest(self):
        for content in (b"", b"{", b"[]", b"{}", b'{"updated_at": 5}'):
            (self.root / "manifest.json").write_bytes(content)
            self.assertEqual(self.get().status, 503)

    def test_it_keeps_no_more_files_than_it_should(self):
        names = [f"f{number}.html" for number in range(serving.KEPT + 5)]
        site = serving.current_site()
        site.files = frozenset(names)
        for name in names:
            site.file(name, is_stale=False, prefix="/status/")

        self.assertLessEqual(len(site.kept), serving.KEPT)


class StaleTests(Served):
    def test_it_says_after_ten_minutes_that_nothing_was_updated(self):
        fresh = self.get(at=self.now + dt.timedelta(minutes=9))
        late = self.get(at=self.now + dt.timedelta(minutes=11))
        german = self.get("de/", at=self.now + dt.timedelta(minutes=11))

        self.assertNotIn(b"This page may be out of date.", fresh.body)
        self.assertIn(b"This page may be out of date.", late.body)
        self.assertIn(f"{self.now:%Y-%m-%dT%H:%M:%SZ}".encode(), late.body)
        self.assertNotEqual(fresh.headers["ETag"], late.headers["ETag"])
        self.assertIn(b'class="stale"', german.body)

    def test_it_says_so_on_every_page(self):
        late = self.now + dt.timedelta(hours=1)
        for path in (f"incidents/{self.incident.uid}.html", "history/", "subscribe.html", "nothing"):
            self.assertIn(b'class="stale"', self.get(path, at=late).body)

    def test_it_tells_programs(self):
        late = orjson.loads(self.get("status.json", at=self.now + dt.timedelta(minutes=11)).body)

        self.assertIs(orjson.loads(self.get("status.json").body)["stale"], False)
        self.assertIs(late["stale"], True)
        self.assertEqual(late["updated_at"], f"{self.now:%Y-%m-%dT%H:%M:%SZ}")

    def test_it_ends_when_the_page_is_written_again(self):
        self.age(hours=2)
        self.assertIn(b'class="stale"', self.get().body)

        writing.write_page(timezone.now())

        self.assertNotIn(b'class="stale"', self.get().body)


class PrivateTests(Served):
    def setUp(self):
        super().setUp()
        self.key = new_access_key(by=make_admin())
        make_page(is_private=True)
        writing.write_page(self.now)

    def test_it_shows_nothing_to_strangers(self):
        for path in ("", "de/", "status.json", "feed.rss", f"incidents/{self.incident.uid}.html", "nothing", "de"):
            for query in (
                "",
                "key=wrong",
                "key=",
                "grant=1.x",
                "&".join(["key=x"] * 50),
                "key=" + "x" * 9000,
                "key=%ff",
            ):
                with self.subTest(path=path, query=query[:20]):
                    reply = self.get(path, query=query)

                    self.assertEqual(reply.status, 403)
                    self.assertNotIn(b"Checkout", reply.body)
                    self.assertNotIn(b"Acme", reply.body)
                    self.assertIn("private", reply.headers["Cache-Control"])
                    self.assertNotIn("ETag", reply.headers)

    def test_it_shows_strangers_their_page_in_style(self):
        style = self.manifest()["style"]

        self.assertIn(f'href="/status/{style}"'.encode(), self.get("a/b/c").body)
        self.assertEqual(self.get(style).status, 200)

    def test_it_lets_in_by_the_link_and_forgets_the_key(self):
        reply = self.get(query=f"key={self.key}")

        self.assertEqual((reply.status, reply.headers["Location"]), (303, "./"))
        cookie = reply.headers["Set-Cookie"].split(";")[0]
        self.assertNotIn(self.key, cookie)
        shown = self.get(cookie=cookie)
        self.assertEqual(shown.status, 200)
        self.assertEqual(shown.headers["Cache-Control"], "private, no-cache")
        self.assertIn("Cookie", shown.headers["Vary"])

    def test_it_leads_back_to_the_page_that_was_asked(self):
        for path, place in (("incidents/x.html", "./x.html"), ("de/", "./"), ("a:b\r\nX: y", "./a%3Ab%0D%0AX%3A%20y")):
            self.assertEqual(self.get(path, query=f"key={self.key}").headers["Location"], place)

    def test_it_takes_the_key_from_programs_each_time(self):
        for path in ("status.json", "feed.rss", "de/feed.atom"):
            reply = self.get(path, query=f"key={self.key}")

            self.assertEqual(reply.status, 200)
            self.assertNotIn("Access-Control-Allow-Origin", reply.headers)

    def test_it_lets_nobody_in_with_an_old_key(self):
        cookie = self.get(query=f"key={self.key}").headers["Set-Cookie"].split(";")[0]
        new_access_key(by=make_admin())
        writing.write_page(self.now)

        self.assertEqual(self.get(cookie=cookie).status, 403)
        self.assertEqual(self.get(query=f"key={self.key}").status, 403)

    def test_it_keeps_the_key_nowhere(self):
        self.assertEqual(StatusPage.objects.get().access_digest, hashlib.sha256(self.key.encode()).hexdigest())
        for name in self.names():
            self.assertNotIn(self.key.encode(), (self.root / name).read_bytes())
