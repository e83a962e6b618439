import csv
import datetime as dt
import io
from typing import Any
from unittest import mock

from django.test import TestCase

from incidents import export
from incidents.models import Incident
from incidents.tests.factories import make_category, make_incident, make_service
from users.models import User
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

EXPORT = "/api/v1/incidents/export/"


class ExportTests(TestCase):
    def rows(self, by: User, **filters: Any) -> list[dict[str, str]]:
        answer = client_of(by).get(EXPORT, filters)
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def test_it_is_a_streamed_download(self) -> None:
        answer = client_of(make_admin()).get(EXPORT)

        self.assertTrue(answer.streaming)
        self.assertEqual(answer["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn("attachment; filename=", answer["Content-Disposition"])
        self.assertEqual(len(list(answer.streaming_content)), 1)

    def test_it_begins_with_a_byte_order_mark(self) -> None:
        content = b"".join(client_of(make_admin()).get(EXPORT).streaming_content)

        self.assertTrue(content.startswith(b"\xef\xbb\xbfreference,"))

    def test_it_writes_what_no_file_can_hold_as_a_mark(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)
        Incident.objects.filter(pk=incident.pk).update(title="a\bb;=1+1")

        self.assertEqual(self.rows(reporter)[0]["title"], "a\ufffdb;'=1+1")

    def test_it_says_what_the_incident_says(self) -> None:
        reporter = make_reporter(name="Ann")
        moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))
        incident = make_incident(
            by=reporter,
            severity=4,
            category=make_category(),
            services=[make_service("b"), make_service("a")],
            at=moment,
        )

        row = self.rows(reporter)[0]

        expected = {"reference": incident.reference, "severity": "critical", "priority": "p1", "reporter": "Ann"}
        expected |= {"category": "network", "services": "a b", "created_at": "2025-12-31T23:00:00Z", "team": ""}
        self.assertEqual({name: row[name] for name in expected}, expected)

    def test_it_defuses_formulas(self) -> None:
        table = {
            "=1+1": "'=1+1",
            "+1": "'+1",
            "-1": "'-1",
            "@SUM(A1)": "'@SUM(A1)",
            "  =1": "'  =1",
            "\t=1": "'\t=1",
            "\ttext": "'\ttext",
            "\rtext": "'\rtext",
            "\ntext": "'\ntext",
            "\uff1d1": "'\uff1d1",
            "1 = 1": "1 = 1",
            "a, b": "a, b",
            'say "hi"': 'say "hi"',
            "two\nlines\r\n": "two\nlines\r\n",
            "Zürich 満杯 💩": "Zürich 満杯 💩",
        }
        reporter = make_reporter(name="=cmd")
        category, service = make_category("-2-3"), make_service("-4-5")
        for text in table:
            make_incident(by=reporter, title="x", description=text, category=category, services=[service])

        rows = self.rows(reporter)[::-1]

        self.assertEqual([row["description"] for row in rows], list(table.values()))
        cells = {(row["reporter"], row["category"], row["services"]) for row in rows}
        self.assertEqual(cells, {("'=cmd", "'-2-3", "'-4-5")})

    def test_it_holds_what_the_caller_sees(self) -> None:
        reporter, responder, admin = make_reporter(), make_responder(), make_admin()
        own, other = make_incident(by=reporter), make_incident()
        hidden = make_incident(is_restricted=True)
        table = [(reporter, {own}), (responder, {own, other}), (admin, {own, other, hidden})]
        for person, incidents in table:
            with self.subTest(person.role):
                references = {row["reference"] for row in self.rows(person)}

                self.assertEqual(references, {incident.reference for incident in incidents})

    def test_it_obeys_the_filters(self) -> None:
        admin, worst = make_admin(), make_incident(severity=4)
        make_incident(severity=1)

        rows = self.rows(admin, severity="critical", is_open="true")

        self.assertEqual([row["reference"] for row in rows], [worst.reference])
        self.assertEqual(client_of(admin).get(EXPORT, {"severity": "awful"}).status_code, 400)

    def test_it_loses_none_between_chunks(self) -> None:
        for _number in range(7):
            make_incident()

        with mock.patch.object(export, "CHUNK", 3), mock.patch.object(export, "FIRST_CHUNK", 2):
            chunks = list(export.csv_rows(Incident.objects.all()))

        self.assertEqual([chunk.count("INC-") for chunk in chunks], [0, 2, 3, 2])
