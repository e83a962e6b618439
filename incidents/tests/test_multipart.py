"""Files come in whatever their names are like."""

import base64
import hashlib
import io
from typing import Any
from unittest import mock

from django.conf import settings
from django.test import TestCase

from incidents.models import Attachment, Incident
from incidents.tests.files import IMAGES, OwnStore
from incidents.views import multipart
from users.tests.factories import client_of, make_reporter

TITLE = b'--X\r\nContent-Disposition: form-data; name="title"\r\n\r\nGate is stuck\r\n'
FINDINGS = IMAGES.parent / "hostile-findings"


def part(parameters: bytes, content: bytes = b"it will not close", more: bytes = b"") -> bytes:
    """A part of a form, with these parameters of its disposition."""
    return b"--X\r\nContent-Disposition: form-data" + parameters + b"\r\n" + more + b"\r\n" + content + b"\r\n"


class MultipartTests(OwnStore, TestCase):
    """POST incidents/ with files."""

    def setUp(self) -> None:
        super().setUp()
        self.client_ = client_of(make_reporter())

    def report(self, *some: bytes) -> Any:
        body = TITLE + b"".join(some) + b"--X--\r\n"
        return self.client_.generic("POST", "/api/v1/incidents/", body, "multipart/form-data; boundary=X")

    def name_of(self, parameters: bytes, more: bytes = b"") -> str:
        response = self.report(part(b'; name="attachments"' + parameters, more=more))
        self.assertEqual(response.status_code, 201, response.content)
        (shown,) = response.json()["attachments"]
        return str(shown["name"])

    def test_it_keeps_every_file_under_a_readable_name(self) -> None:
        cases = {
            b'; filename="plain.txt"': "plain.txt",
            b"; filename=plain.txt": "plain.txt",
            '; filename="Störung.txt"'.encode(): "Störung.txt",
            '; filename="Störung.txt"'.encode("latin-1"): "Störung.txt",
            '; filename="ошибка сервера подробно.txt"'.encode("cp1251"): "ошибка сервера подробно.txt",
            '; filename="サーバーのエラーログ.txt"'.encode("cp932"): "サーバーのエラーログ.txt",
            b'; filename=".."': "file",
            b'; filename="."': "file",
            b'; filename="....."': "file",
            b'; filename=""': "file",
            b'; filename=" "': "file",
            b'; filename="/"': "file",
            b'; filename="a\0b.txt"': "ab.txt",
            b'; filename="\0"': "file",
            b'; filename="C:\\fakepath\\photo.txt"': "photo.txt",
            b'; filename="../../etc/passwd"': "passwd",
            b'; filename="a;b=c.txt"': "a;b=c.txt",
            b'; filename="a\\"b.txt"': 'a"b.txt',
            b'; filename="&#x41;.txt"': "A.txt",
            b"; filename*=UTF-8''St%C3%B6rung.txt": "Störung.txt",
            b"; filename*=iso-8859-1'de'St%F6rung.txt": "Störung.txt",
            b"; filename=\"plain.txt\"; filename*=UTF-8''St%C3%B6rung.txt": "Störung.txt",
            b"; filename*=no-such-charset''plain.txt": "plain.txt",
            b"; filename*=UTF-8''..": "file",
            b'; filename*0="long name of "; filename*1="a log.txt"': "long name of a log.txt",
            b"; filename*0*=UTF-8''St%C3%B6; filename*1*=rung.txt": "Störung.txt",
            b'; filename="=?utf-8?B?U3TDtnJ1bmcudHh0?="': "Störung.txt",
            b'; FILENAME="plain.txt"': "plain.txt",
        }
        for parameters, name in cases.items():
            with self.subTest(parameters):
                self.assertEqual(self.name_of(parameters), name)

    def test_it_keeps_a_file_with_a_very_long_name(self) -> None:
        for letter in ("x", "界"):
            with self.subTest(letter):
                name = self.name_of(f'; filename="{letter * 3000}.txt"'.encode())

                self.assertEqual((len(name), name[-5:]), (200, f"{letter}.txt"))

    def test_it_takes_a_file_whose_field_has_no_name(self) -> None:
        response = self.report(part(b'; filename="plain.txt"'))

        self.assertEqual([shown["name"] for shown in response.json()["attachments"]], ["plain.txt"])

    def test_it_takes_headers_that_are_folded(self) -> None:
        for fold in (b"\r\n ", b"\r\n\t", b"\r\n   \r\n "):
            with self.subTest(fold):
                name = self.name_of(
                    b";" + fold + b'filename="two' + fold + b'lines.txt"', b"X-More: a" + fold + b"b\r\n"
                )
                self.assertEqual(" ".join(name.split()), "two lines.txt")

    def test_it_takes_boundaries_behind_bare_line_feeds(self) -> None:
        response = self.report(part(b'; name="attachments"; filename="a.txt"').removesuffix(b"\r\n") + b"\n")

        self.assertEqual([file["name"] for file in response.json()["attachments"]], ["a.txt"])
        self.assertEqual(response.json()["attachments"][0]["size"], len(b"it will not close"))

    def test_it_takes_an_empty_field_without_a_line_of_its_own(self) -> None:
        empty = b'--X\r\nContent-Disposition: form-data; name="description"\r\n\r\n'
        response = self.report(empty, part(b'; name="attachments"; filename="a.txt"'))

        self.assertEqual((response.json()["description"], len(response.json()["attachments"])), ("", 1))

    def test_it_ignores_a_file_input_that_was_left_empty(self) -> None:
        empty = part(b'; name="attachments"; filename=""', b"", b"Content-Type: application/octet-stream\r\n")

        for some, count in (
            ((empty,), 0),
            ((empty, empty), 0),
            ((empty, part(b'; name="attachments"; filename="a"')), 1),
        ):
            with self.subTest(some):
                response = self.report(*some)

                self.assertEqual((response.status_code, len(response.json()["attachments"])), (201, count))

    def test_it_refuses_an_empty_file_that_has_a_name(self) -> None:
        response = self.report(part(b'; name="attachments"; filename="empty.txt"', b""))

        self.assertEqual((response.status_code, response.json()["file"]), (400, "empty.txt"))

    def test_it_refuses_what_it_cannot_tell_apart_and_stores_nothing(self) -> None:
        cases = {
            "no disposition": b"--X\r\nContent-Type: text/plain\r\n\r\nlost?\r\n",
            "no header": b"--X\r\n\r\nlost?\r\n",
            "neither name nor file": part(b"", b"lost?"),
            "countless parameters": part(b'; name="attachments"; filename="a' + b";" * 1000),
            "endless header": part(b'; name="attachments"; filename="' + b"x" * 40_000 + b'"'),
        }
        for case, broken in cases.items():
            with self.subTest(case):
                self.assertEqual(self.report(broken).status_code, 400)
        self.assertEqual((Incident.objects.count(), Attachment.objects.count()), (0, 0))

    def test_it_refuses_names_that_cannot_be_decoded(self) -> None:
        names = {
            "no charset of text": b"; name=a; filename*=idna''%ff.txt",
            "a charset with NUL": b"; name=a; filename*=a%00b''x.txt",
            "a charset with NUL, of the field": b"; name*=undefined''%ff; filename=x",
            "pieces without order": b"; name=a; filename*0=x; filename*=utf-8''y; filename*0*=z",
            "a piece of a huge number": b"; name=a; filename*" + b"9" * 5000 + b"=x",
        }
        for case, parameters in names.items():
            with self.subTest(case):
                self.assertEqual(self.report(part(parameters)).status_code, 400)
        self.assertEqual(Incident.objects.count(), 0)

    def test_it_keeps_a_file_whose_name_is_damaged_base64(self) -> None:
        response = self.report(part(b'; name="attachments"; filename="=?utf-8?B?A?="'))

        self.assertEqual(len(response.json()["attachments"]), 1)

    def test_it_counts_as_many_files_as_parts_were_sent(self) -> None:
        names = (b"a.txt", b"..", b"a.txt", b"\xff\xfe.txt", b"")

        response = self.report(*(part(b'; name="attachments"; filename="' + name + b'"') for name in names))

        self.assertEqual(len(response.json()["attachments"]), len(names))

    def test_it_leaves_content_as_it_came(self) -> None:
        cases = {
            "boundaries within a line": b"a --X\r\n b --X-- c " * 20_000,
            "other boundaries": b"--\r\n--Y\r\n\r\n--XY\r\n--X:\r\n-- X\r\n--\r\n\r\n",
            "all sizes of a chunk": b"line\r\n" * 12_345,
            "line ends at its end": b"x\r\n\r\n\n\r\n",
            "headers": b"Content-Disposition: form-data\r\n\r\nx",
        }
        for case, content in cases.items():
            with self.subTest(case):
                response = self.report(part(b'; name="attachments"; filename="a.txt"', content))

                self.assertEqual(response.json()["attachments"][0]["sha256"], hashlib.sha256(content).hexdigest())

    def test_it_decodes_what_mail_gateways_encode(self) -> None:
        encoded = base64.encodebytes(b"it will not close\n" * 100)
        for content, status in ((encoded, 201), (encoded.rstrip()[:-3], 400)):
            with self.subTest(status):
                more = b"Content-Transfer-Encoding: base64\r\n"
                response = self.report(part(b'; name="attachments"; filename="a.txt"', content, more))

                self.assertEqual(response.status_code, status)
        (stored,) = Attachment.objects.all()
        self.assertEqual(stored.size, 1800)

    def test_it_keeps_few_bytes_of_all_files_in_memory(self) -> None:
        body = part(b'; filename="a"', b"x" * 60) + part(b'; filename="b"', b"x" * 60) + part(b'; filename="c"', b"")
        with mock.patch.object(multipart, "IN_MEMORY_BYTES", 100):
            files = multipart.read_form(io.BytesIO(body + b"--X--\r\n"), "X").files.getlist("attachments")

        self.assertEqual([file.file._rolled for file in files], [False, True, False])
        for file in files:
            file.close()

    def test_it_bounds_fields(self) -> None:
        many = part(b'; name="a"', b"") * (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)
        large = part(b'; name="a"', b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))

        self.assertEqual((self.report(many).json()["code"], self.report(large).status_code), ("too_many_fields", 413))

    def test_it_refuses_boundaries_that_cannot_be(self) -> None:
        for boundary in ("", "x" * 300, '"ü—"'):
            with self.subTest(boundary):
                media_type = f"multipart/form-data; boundary={boundary}"
                response = self.client_.generic("POST", "/api/v1/incidents/", TITLE, media_type)

                self.assertEqual(response.status_code, 400)

    def test_it_finds_boundaries_wherever_chunks_end(self) -> None:
        body = TITLE + part(b'; name="attachments"; filename="a.txt"', b"x\r\n--Y") + b"--X-- \r\n"
        for size in range(1, 40):
            with self.subTest(size), mock.patch.object(multipart, "CHUNK", size):
                response = self.client_.generic("POST", "/api/v1/incidents/", body, "multipart/form-data; boundary=X")

                self.assertEqual([shown["size"] for shown in response.json()["attachments"]], [6])

    def test_it_refuses_a_body_with_another_boundary(self) -> None:
        body = TITLE + b"--X--\r\n"

        response = self.client_.generic("POST", "/api/v1/incidents/", body, "multipart/form-data; boundary=Y")

        self.assertEqual(response.status_code, 400)

    def test_it_takes_fields_and_files_in_any_order_with_text_around_them(self) -> None:
        body = b"preamble\r\n" + part(b'; name="attachments"; filename="a.txt"') + TITLE + b"--X--\r\nepilogue --X\r\n"

        response = self.client_.generic("POST", "/api/v1/incidents/", body, "multipart/form-data; boundary=X")

        self.assertEqual((response.status_code, response.json()["title"]), (201, "Gate is stuck"))
        self.assertEqual(len(response.json()["attachments"]), 1)

    def test_it_loses_no_file_of_an_old_client(self) -> None:
        if not FINDINGS.is_dir():
            self.skipTest(f"{FINDINGS} is not there")
        body = (FINDINGS / "report_latin1_filename.multipart").read_bytes()

        response = self.client_.generic("POST", "/api/v1/incidents/", body, "multipart/form-data; boundary=X")

        self.assertEqual([shown["name"] for shown in response.json()["attachments"]], ["évidence.txt"])
