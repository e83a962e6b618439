"""Reading logs: hostile files, any order of rows, wrong cells."""

import codecs
import datetime as dt
import gzip
import tracemalloc
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from core.severity import Severity
from incidents.imports.mapping import parse as parse_mapping
from incidents.imports.reading import MAX_LINE_BYTES, Cells, Refusal, UnreadableFile, records
from incidents.imports.rows import RowRefused, parse, parse_time
from incidents.imports.spool import Spool
from incidents.tests.import_logs import HEADER, MAPPING, MAPPING_TEXT, NOW, LogFiles, cells, line

WRONG_CELLS = {
    "unknown state": ({"state": "-100"}, "state: '-100' is not among"),
    "missing state": ({"state": "?"}, "state: '?' is not among"),
    "month 13": ({"updated": "1/13/2016 08:00"}, "updated: '1/13/2016 08:00' is not a time"),
    "30 February": ({"opened": "30/2/2016 08:00"}, "opened: '30/2/2016 08:00' is not a time"),
    "no opening": ({"opened": "?"}, "opened: missing"),
    "no update": ({"updated": ""}, "updated: missing"),
    "future": ({"updated": "1/2/2099 08:00"}, "lies in the future"),
    "before 1970": ({"opened": "1/2/1066 08:00"}, "lies before 1970"),
    "wrong resolution": ({"resolved": "soon"}, "resolved: 'soon' is not a time"),
    "no number": ({"number": "?"}, "number: missing"),
    "long number": ({"number": "9" * 191}, "number: longer than 190"),
    "long group": ({"group": "g" * 101}, "group: longer than 100"),
    "unknown priority": ({"priority": "Awful"}, "priority: 'Awful' is not among"),
    "order not a number": ({"mods": "first"}, "mods: 'first' is not a whole number"),
}


class RecordsTests(LogFiles):
    """incidents.imports.reading.records."""

    def refused(self, content: bytes) -> list[tuple[int, str]]:
        found = records(self.write_bytes(content), MAPPING)
        return [(record.line, record.reason) for record in found if isinstance(record, Refusal)]

    def test_it_reads_plain_and_compressed_files_alike(self) -> None:
        plain = self.write(line(), line(number="A2"))
        packed = self.write_bytes(gzip.compress(plain.read_bytes()), name="log.csv.gz")

        found = list(records(packed, MAPPING))

        self.assertEqual(found, list(records(plain, MAPPING)))
        self.assertEqual([record.line for record in found], [2, 3])

    def test_it_ignores_a_byte_order_mark_blank_lines_and_the_order_of_columns(self) -> None:
        names = HEADER.split(",")
        values = line().split(",")
        turned = "\n".join([",".join(names[::-1]), "", ",".join(values[::-1]), ""])

        found = list(records(self.write_bytes(b"\xef\xbb\xbf" + turned.encode()), MAPPING))

        self.assertEqual(found, [Cells(3, cells().values)])

    def test_it_passes_over_a_byte_order_mark_whatever_follows_it(self) -> None:
        quoted = '"' + '","'.join(HEADER.split(",")) + '"\r\n' + line() + "\r\n"
        files = {name: quoted.encode(name) for name in ("utf-8-sig", "utf-16", "utf-32")}
        files["big-endian"] = codecs.BOM_UTF16_BE + quoted.encode("utf-16-be")
        files["packed"] = gzip.compress(quoted.encode("utf-8-sig"))

        for name, content in files.items():
            with self.subTest(name):
                found = list(records(self.write_bytes(content), MAPPING))

                self.assertEqual(found, [Cells(2, cells().values)])

    def test_it_names_a_file_that_breaks_off_within_a_character(self) -> None:
        content = (HEADER + "\n").encode("utf-16") + b"a"

        with self.assertRaises(UnreadableFile):
            list(records(self.write_bytes(content), MAPPING))

    def test_it_refuses_files_from_which_nothing_can_be_had(self) -> None:
        packed = gzip.compress(f"{HEADER}\n{line()}\n".encode() * 50)
        files = {
            b"": "is empty",
            b"number,state\n": "no column opened, updated",
            HEADER.encode() + b",number\n": "more than one column number",
            b"\xff\xff" + HEADER.encode("utf-16-le"): "cannot be read",
            packed[:-20]: "damaged or cut off",
            packed[:40] + b"xxxx" + packed[44:]: "damaged or cut off",
        }
        for content, message in files.items():
            with self.subTest(message), self.assertRaisesMessage(UnreadableFile, message):
                list(records(self.write_bytes(content), MAPPING))
        with self.assertRaisesMessage(UnreadableFile, "cannot be read"):
            list(records(self.folder / "absent.csv", MAPPING))

    def test_it_refuses_single_lines_and_goes_on(self) -> None:
        good = line().encode()
        lines = [HEADER.encode(), good, good + b",extra", b"only one", b"\xe9" + good, b"a\0b", good, b""]

        refused = self.refused(b"\n".join(lines))

        self.assertEqual([number for number, _ in refused], [3, 4, 5, 6])
        self.assertIn("15 cells, the header 14", refused[0][1])
        self.assertIn("byte 1 of the line is not utf-8", refused[2][1])
        self.assertIn("zero byte", refused[3][1])

    def test_it_refuses_a_huge_cell_without_holding_it(self) -> None:
        huge = line(summary="x" * 10 * MAX_LINE_BYTES).encode()
        path = self.write_bytes(b"\n".join([HEADER.encode(), huge, line().encode(), b""]))
        del huge

        tracemalloc.start()
        found = list(records(path, MAPPING))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        self.assertEqual([type(record) for record in found], [Refusal, Cells])
        self.assertEqual([record.line for record in found], [2, 3])
        self.assertLess(peak, 5 * MAX_LINE_BYTES)

    def test_it_refuses_a_cell_past_the_limit_and_goes_on(self) -> None:
        refused = self.refused(f"{HEADER}\n{line(summary='x' * 200_000)}\n{line()}\n".encode())

        self.assertEqual([number for number, _ in refused], [2])
        self.assertIn("field larger than field limit", refused[0][1])

    def test_it_reads_cells_of_several_lines_and_other_encodings(self) -> None:
        mapping = parse_mapping(MAPPING_TEXT.replace('missing = ["?"]', 'missing = ["?"]\nencoding = "cp1252"'))
        content = "\n".join([HEADER, line(summary='"Zürich\nkaputt"'), line(), ""]).encode("cp1252")

        found = list(records(self.write_bytes(content), mapping))

        self.assertEqual([record.line for record in found], [2, 4])
        self.assertIn("Zürich\nkaputt", found[0].values)  # type: ignore[union-attr]


class SpoolTests(SimpleTestCase):
    """incidents.imports.spool."""

    def test_it_brings_scattered_rows_together_in_the_order_of_the_file(self) -> None:
        rows = [Cells(2, ("B", "1")), Cells(3, ("A", "1")), Cells(4, ("B", "2")), Cells(5, ("b", "1"))]

        with Spool() as spool:
            spool.fill(rows)
            found = list(spool.incidents())

        self.assertEqual(found, [[rows[0], rows[2]], [rows[1]], [rows[3]]])


class RowTests(SimpleTestCase):
    """incidents.imports.rows."""

    def test_it_reads_a_row(self) -> None:
        row = parse(cells(priority="Bad", group="Group 70", person="?", opened="29/2/2016 01:16"), MAPPING, NOW)

        self.assertEqual(row.opened_at, dt.datetime(2016, 2, 29, 1, 16, tzinfo=dt.UTC))
        self.assertEqual((row.severity, row.team, row.assignee), (Severity.CRITICAL, "Group 70", ""))
        self.assertIsNone(row.resolved_at)

    def test_it_says_what_is_wrong_with_a_row(self) -> None:
        for name, (wrong, message) in WRONG_CELLS.items():
            with self.subTest(name), self.assertRaisesMessage(RowRefused, message):
                parse(cells(**wrong), MAPPING, NOW)

    def test_it_counts_wall_clock_times_in_the_zone_of_the_mapping(self) -> None:
        zone = ZoneInfo("Europe/Zurich")

        found = [parse_time(text, ("iso",), zone) for text in ("2016-07-01T12:00", "2016-07-01T12:00+05:00")]

        self.assertEqual(found, [dt.datetime(2016, 7, 1, 10, tzinfo=dt.UTC), dt.datetime(2016, 7, 1, 7, tzinfo=dt.UTC)])
