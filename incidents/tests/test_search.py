"""Search, with committed rows: InnoDB's full-text index sees no others."""

from collections.abc import Callable
from io import StringIO
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from incidents import search
from incidents.models import Incident, Visibility
from incidents.services import comment, redact, update
from incidents.tests.factories import report
from users.tests.factories import make_admin, make_reporter

TEXTS: dict[str, tuple[str, str]] = {
    "disk": ("DB disk full", "/var/lib is at 100 % on db-primary-7, see /var/log/x.log"),
    "japanese": ("サーバーのディスクが満杯です", "至急対応してください"),
    "zurich": ("Zürich: Störung im Café", "Straße gesperrt, naïve Ångström"),
    "words": ("The printer and the scanner", "to be or not to be"),
    "operators": ('NEAR("disk full") OR NOT disk*', "col:disk ^disk -disk +disk @disk ~disk >disk <disk"),
    "script": ("Ёлка упала", "한국어 문제 اختبار हिन्दी ภาษาไทย"),
    "spaceless": ("ระบบชำระเงินล่มแล้ว", "ລະບົບຊຳລະເງິນ ប្រព័ន្ធទូទាត់ ငွေပေးချေမှုစနစ် 佐々木さん"),
    "marked": ("הַשֶּׁרֶת נָפַל", "تَعَطَّلَ الخَادِم في المدينة٢ ısıtma arızası Łódź smørrebrød Donau\u00addampf می\u200cخواهم"),
    "prefix": ("Certificate expired", "renewal of certificates 10423 web01"),
    "rare": ("\U00020000\U00020001 ab\u19b0cd", "x" * 500 + " 🔥🔥 1.2.3.4 CVE-2026-1234 ½"),
}


class SearchTests(TransactionTestCase):
    """One set of incidents and many questions: committing is slow."""

    def setUp(self) -> None:
        self.admin = make_admin()
        self.names: dict[int, str] = {}
        for name, (title, description) in TEXTS.items():
            self.names[report(by=self.admin, title=title, description=description).pk] = name

    def tearDown(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM incidents_search")

    def found(self, text: str, *, reads_internal: bool = True) -> list[str]:
        """The texts that are found; the first page, in any way that it is made, holds the same."""
        newest = Incident.objects.order_by("-created_at", "-id")
        found = search.filter_matching(newest, text, reads_internal=reads_internal)
        for first_rows in (1000, 2):
            with mock.patch("incidents.search.index.FIRST_ROWS", first_rows):
                page = search.first_matching(lambda: newest, text, limit=50, reads_internal=reads_internal)
            self.assertEqual(page, list(found))
        return sorted(self.names.get(pk, "?") for pk in found.values_list("pk", flat=True))

    def test_it_asks_the_engine_soon_for_rare_words_and_never_for_common_ones(self) -> None:
        newest = Incident.objects.order_by("-created_at", "-id")
        for number in range(8):
            report(by=self.admin, title=f"Router restarts{' again' if number % 2 else ''}")
        asked: list[str] = []

        def ask(name: str, query: Callable[[], Any]) -> list[Any]:
            asked.append(name)
            return list(query())

        cases = {
            "router": ["first 2 ids"],
            "again": ["first 2 ids", "first 4 ids"],
            "zurich": ["first 2 ids", "matching"],
        }
        for text, expected in cases.items():
            with (
                self.subTest(text),
                mock.patch("incidents.search.index.FIRST_ROWS", 4),
                mock.patch("incidents.search.index.SAMPLE_ROWS", 2),
            ):
                asked.clear()
                rows = search.first_matching(lambda: newest, text, limit=2, reads_internal=True, ask=ask)

                found = search.filter_matching(newest, text, reads_internal=True)
                self.assertEqual((asked, rows), (expected, list(found[:2])))

    def test_it_finds_what_people_type(self) -> None:
        cases: dict[str, list[str]] = {
            "db": ["disk"],
            "DB DISK": ["disk"],
            "disk full": ["disk", "operators"],
            "full disk db": ["disk"],
            "db zürich": [],
            "db-primary-7": ["disk"],
            "/var/log": ["disk"],
            "100 %": ["disk"],
            "満杯": ["japanese"],
            "満": ["japanese"],
            "ディスク": ["japanese"],
            "ディスクが満杯です": ["japanese"],
            "サーバーのディスクが満杯です": ["japanese"],
            "サーバーは満杯です": [],
            "杯満": [],
            "zurich": ["zurich"],
            "ZÜRICH": ["zurich"],
            "Zu\u0308rich cafe": ["zurich"],
            "STRASSE": ["zurich"],
            "angstrom naive": ["zurich"],
            "the": ["words"],
            "and the": ["words"],
            "to be or not to be": ["words"],
            "елка": ["script"],
            "한국": ["script"],
            "اختبار": ["script"],
            "हिन्दी": ["script"],
            "ภาษาไทย": ["script"],
            "\U00020000": [],
            "\U00020000\U00020001": ["rare"],
            "ab\u19b0cd": ["rare"],
            "x" * 500: ["rare"],
            "x" * 59: ["rare"],
            "x" * 2: [],
            "cve-2026-1234": ["rare"],
            "1.2.3.4": ["rare"],
            "½": ["rare"],
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(self.found(text), expected)

    def test_it_finds_words_within_text_without_spaces(self) -> None:
        for text in ("ชำระเงิน", "ระบบ", "ล่ม", "ຊຳລະ", "ប្រព័ន្ធ", "ទូទាត់", "ပေးချေ", "စနစ်", "佐々木", "々木"):
            with self.subTest(text):
                self.assertEqual(self.found(text), ["spaceless"])
        self.assertEqual(self.found("เงินชำระ"), [])

    def test_it_finds_words_with_and_without_their_marks(self) -> None:
        for text in (
            *("השרת", "הַשֶּׁרֶת", "تعطل", "الخادم", "الخـادم", "تَعَطَّلَ", "المدينه"),
            *("isitma", "ısıtma", "ISITMA", "İSITMA", "arizasi", "lodz", "ŁÓDŹ", "smorrebrod", "donaudampf", "میخواهم"),
        ):
            with self.subTest(text):
                self.assertEqual(self.found(text), ["marked"])
        self.assertEqual(self.found("हिन्द"), ["script"])
        self.assertEqual(self.found("हिन्दू"), [])

    def test_it_finds_words_that_begin_so(self) -> None:
        cases = {
            "cert": ["prefix"],
            "CERT exp": ["prefix"],
            "certificates": ["prefix"],
            "cer": ["prefix"],
            "web": ["prefix"],
        }
        cases |= {
            "ce": [],
            "ert": [],
            "1042": [],
            "10423": ["prefix"],
            "certx": [],
            "störu": ["zurich"],
            "елк": ["script"],
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(self.found(text), expected)

    def test_it_takes_operators_for_text(self) -> None:
        cases: dict[str, list[str]] = {
            '"unbalanced': [],
            '"disk': ["disk", "operators"],
            "disk*": ["disk", "operators"],
            "dis*": ["disk", "operators"],
            "+disk -full": ["disk", "operators"],
            "NOT": ["operators", "words"],
            "disk OR zurich": [],
            "disk NOT full": ["operators"],
            'NEAR("disk full")': ["operators"],
            "document:disk": [],
            "col:disk": ["operators"],
            "(disk": ["disk", "operators"],
            "disk)": ["disk", "operators"],
            "^disk @4 ~disk": [],
            "disk' OR '1'='1": [],
            "disk; DROP TABLE incidents_search; --": [],
            "% _": [],
            "%s": [],
            "\\": [],
            "disk\x00full": ["disk", "operators"],
            "p_disk": [],
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(self.found(text), expected)

    def test_it_finds_nothing_where_there_is_no_word(self) -> None:
        for text in ("", "   ", "+-*", '"""', "🔥", "()", "_", "@@"):
            with self.subTest(text):
                self.assertEqual(self.found(text), [])

    def test_it_finds_a_reference(self) -> None:
        pk = min(self.names)
        for text in (f"INC-{pk}", f"inc-{pk}", f"  INC-{pk} "):
            with self.subTest(text):
                self.assertEqual(self.found(text), ["disk"])
        self.assertEqual(self.found(f"INC-{pk + 10**6}"), [])
        self.assertEqual(self.found("INC-999999999999999999"), [])
        self.assertEqual(self.found(f"see INC-{pk} please"), [])
        self.assertEqual(self.found(f"disk INC-{pk}"), ["disk"])
        self.assertEqual(self.found("INC-99999999999999999999999"), [])

    def test_it_looks_at_the_first_twelve_words(self) -> None:
        said = " ".join(f"word{number}" for number in range(30))
        pk = report(by=self.admin, title="Long", description=said).pk
        self.names[pk] = "long"

        self.assertEqual(self.found(said), ["long"])
        self.assertEqual(self.found(f"{said} absent"), ["long"])
        self.assertEqual(self.found(f"absent {said}"), [])

    def test_it_follows_what_is_said_and_changed(self) -> None:
        pk = min(self.names)
        incident = Incident.objects.get(pk=pk)
        leak = comment(incident, "Replaced the raid controller", by=self.admin)
        update(incident, by=None, fields={"title": "Array degraded"})

        self.assertEqual(self.found("controller degraded"), ["disk"])
        self.assertEqual(self.found("db disk full"), [])
        redact(leak, by=None)
        self.assertEqual(self.found("controller"), [])

    def test_it_keeps_internal_words_from_those_who_may_not_read_them(self) -> None:
        incident = Incident.objects.get(pk=min(self.names))
        comment(incident, "Mallory was here with the disk", by=self.admin, visibility=Visibility.INTERNAL)

        self.assertEqual(self.found("mallory"), ["disk"])
        self.assertEqual(self.found("mallory full"), ["disk"])
        self.assertEqual(self.found("mall"), ["disk"])
        for text in ("mallory", "mall", "i_mallory", "i_mall", "mallory disk", "i mallory"):
            with self.subTest(text):
                self.assertEqual(self.found(text, reads_internal=False), [])
        self.assertEqual(self.found("disk full db", reads_internal=False), ["disk"])

    def test_it_searches_within_what_a_person_sees(self) -> None:
        reporter = make_reporter()
        own = report(by=reporter, title="Disk of my own")

        visible = Incident.objects.visible_to(reporter).order_by("-created_at", "-id")
        found = search.filter_matching(visible, "disk", reads_internal=False)

        self.assertEqual(list(found[:10]), [own])
        self.assertEqual(found.filter(status="open").count(), 1)

    def test_it_writes_the_documents_of_before_anew(self) -> None:
        incident = Incident.objects.get(pk=min(pk for pk, name in self.names.items() if name == "spaceless"))
        comment(incident, "ความลับ mallory", by=self.admin, visibility=Visibility.INTERNAL)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM incidents_search")

        done = list(search.rebuild_index())

        self.assertEqual(done, [len(TEXTS)])
        self.assertEqual(self.found("ชำระเงิน mallory"), ["spaceless"])
        self.assertEqual(self.found("ความลับ", reads_internal=False), [])
        self.assertEqual(self.found("scanner"), ["words"])

    def test_it_is_rebuilt_by_a_command(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM incidents_search")
        said = StringIO()

        call_command("reindex_search", stdout=said)

        self.assertEqual(said.getvalue(), f"{len(TEXTS)} incidents indexed.\n")
        self.assertEqual(self.found("cert"), ["prefix"])
