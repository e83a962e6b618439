import ast
import threading

from django.test import SimpleTestCase

from tests.house import imports, prose, vendors
from tests.house.__main__ import AWAITED, Row
from tests.house.sources import ROOT, Source, sources
from tests.house.tracing import Tracer


def known(**texts: str) -> dict[str, Source]:
    """Modules by name, with `__` for a dot."""
    names = {name.replace("__", "."): text for name, text in texts.items()}
    return {name: Source(name, f"{name}.py", text) for name, text in names.items()}


class ImportTests(SimpleTestCase):
    def test_it_counts_statements_that_take_infrastructure_from_users(self):
        modules = known(
            users="",
            users__models="",
            users__rows="def insert(): ...\ndef update(): ...\n",
            users__tokens="from users.rows import insert\n",
            alerts="from users.models import User\nfrom users.rows import insert, update\n"
            "def f():\n    from users import rows\n",
        )

        found = imports.infrastructure(modules)

        self.assertEqual(found, ["alerts.py:2: users.rows.update", "alerts.py:4: users.rows"])

    def test_it_follows_a_name_that_users_only_hands_on(self):
        modules = known(
            core="",
            core__db="def insert(): ...\n",
            users="",
            users__admin="from users.admin.base import Base\n",
            users__admin__base="class Base: ...\n",
            users__admin__people="class Zone: ...\n",
            users__services="from core.db import insert\nfrom users.services.accounts import register\n",
            users__services__accounts="def register(): ...\n",
            alerts="from users.admin import Base\nfrom users.services import insert\n"
            "from users.services import register\nfrom users.admin.people import Zone\n",
        )

        found = imports.infrastructure(modules)

        self.assertEqual(found, ["alerts.py:1: users.admin.base.Base", "alerts.py:2: core.db.insert"])

    def test_it_finds_circles_of_files(self):
        modules = known(
            a="", a__one="from a import two\n", a__two="def f():\n    import a.one\n", a__three="from a.one import x\n"
        )

        self.assertEqual(imports.circles(modules), [["a.one", "a.two"]])

    def test_it_takes_no_package_for_part_of_a_circle_of_its_modules(self):
        modules = known(a="from a.one import x\n", a__one="from a import two\n", a__two="")

        self.assertEqual(imports.circles(modules), [])

    def test_it_reads_every_module_of_the_project_but_tests_and_migrations(self):
        paths = [source.path for source in sources().values()]

        self.assertIn("manage.py", paths)
        self.assertIn("users/models.py", paths)
        self.assertFalse([path for path in paths if "/tests/" in path or "/migrations/" in path])


class VendorTests(SimpleTestCase):
    def test_it_reads_the_words_of_identifiers(self):
        for text in ("uptime_kuma", "UptimeKumaEndpoint", "UPTIME_KUMA", "/Uptime-Kuma/", "test_uptime_kuma"):
            with self.subTest(text):
                self.assertIn("uptimekuma", vendors.words(text))
        self.assertIn("otlp", vendors.words("OTLPEndpoint"))
        self.assertNotIn("sns", vendors.words("dns_names"))

    def test_it_finds_where_a_vendor_is_named(self):
        text = (
            '"""Splunk."""\nfrom splunklib import Splunk\nfrom ours.splunk import x\nKIND = "splunk"\nmake_hec(a.Hec)\n'
        )

        found = list(vendors.said_in(ast.parse(text), ["ours"]))

        self.assertCountEqual(
            found, [(3, "ours.splunk x"), (4, "KIND"), (4, "splunk"), (5, "make_hec"), (5, "a"), (5, "Hec")]
        )


class ProseTests(SimpleTestCase):
    def test_it_counts_words_of_prose_and_lines_of_code(self):
        text = '''"""Two words."""

# And three more.
import os  # noqa: F401

def f():
    """One.

    Then two.
    """
    return """Not
    prose"""  # but this
'''

        self.assertEqual(prose.words_and_code(Source("a", "a.py", text)), (10, 4))

    def test_it_knows_a_verb_at_the_start(self):
        for text in ("Return the rows.", "Delete.", "Store the files before the transaction opens."):
            with self.subTest(text):
                self.assertTrue(prose.begins_with_verb(text))

    def test_it_takes_nothing_else_for_a_verb(self):
        for text in (
            "The rows.",
            "Whether it is.",
            "Returns the rows.",
            "Returning rows.",
            "Name of a row.",
            "Note: x.",
        ):
            with self.subTest(text):
                self.assertFalse(prose.begins_with_verb(text))

    def test_it_finds_docstrings_of_methods_and_nested_functions(self):
        inner = '        def g():\n            "C."\n        def h(): ...\n'
        text = f'class A:\n    "A."\n    def f(self):\n        "B."\n{inner}'

        found = prose.docstrings(Source("a", "a.py", text))

        self.assertEqual(found, [(3, "A.f", "B."), (5, "A.f.g", "C.")])


class TracerTests(SimpleTestCase):
    def test_it_counts_each_function_of_ours_once_in_every_thread(self):
        tracer = Tracer()
        tracer.ours = (__file__,)
        threading.setprofile(tracer.profile)
        self.addCleanup(threading.setprofile, None)

        def inner(value: int) -> int:
            return value

        def work(_number: int) -> None:
            thread = threading.Thread(target=lambda: [inner(value) for value in (1, 2)])
            thread.start()
            thread.join()

        found = tracer.trace(work)

        self.assertEqual([line.split(".")[-1] for line in found.functions], ["work", "inner"])


class RowTests(SimpleTestCase):
    def test_it_says_what_is_behind(self):
        self.assertTrue(Row("a", "A", 90, 90, 1).is_reached)
        self.assertFalse(Row("a", "A", 90.1, 90, 1).is_reached)
        self.assertTrue(Row("a", "A", 80, 80, 1, is_floor=True).is_reached)
        self.assertTrue(str(Row("a", "A", 79.9, 80, 1, is_floor=True)).endswith("missed"))
        self.assertTrue(str(Row("lines", "A", 2, 1, 1)).endswith("missed, not required yet"))

    def test_it_awaits_only_rows_there_are(self):
        text = (ROOT / "tests/house/__main__.py").read_text(encoding="utf-8")

        self.assertEqual([key for key in AWAITED if f'Row("{key}"' not in text], [])
