"""The attachment routes: who may what, what is answered, and how files are sent."""

import hashlib
import io
from typing import Any
from unittest import mock

from django.core.files.storage import default_storage
from django.db import connection
from django.test import TestCase, override_settings
from PIL import Image
from rest_framework.test import APIClient

from incidents import jobs, services
from incidents.models import Attachment, Incident
from incidents.services import attaching
from incidents.tests.factories import make_incident, make_team
from incidents.tests.files import (
    FULL,
    IN_MEMORY,
    PDF,
    SVG,
    OwnStore,
    body_of,
    located_picture,
    picture,
    stored_files,
    upload,
)
from users.models import User
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

FIELDS = {
    "id",
    "name",
    "media_type",
    "size",
    "sha256",
    "width",
    "height",
    "url",
    "thumbnail_url",
    "uploaded_by",
    "created_at",
}


def send(client: APIClient, incident: Incident | str, *files: Any, **headers: str) -> Any:
    """Post files to an incident."""
    id = incident if isinstance(incident, str) else incident.pk
    return client.post(f"/api/v1/incidents/{id}/attachments/", {"attachments": files}, format="multipart", **headers)


def attach(incident: Incident, content: bytes, name: str = "photo.jpg") -> Attachment:
    return attaching.attach(incident, attaching.inspect([upload(content, name)]), by=incident.reporter)[0]


class UploadTests(OwnStore, TestCase):
    """POST incidents/{id}/attachments/."""

    def setUp(self) -> None:
        super().setUp()
        self.reporter = make_reporter()
        self.incident = make_incident(by=self.reporter)
        self.client_ = client_of(self.reporter)

    def test_it_answers_with_what_was_stored(self) -> None:
        content = picture("PNG", (30, 20))

        response = send(self.client_, self.incident.reference, upload(content, "../screen.png", "text/html"))

        self.assertEqual(response.status_code, 201, response.data)
        (shown,) = response.json()
        self.assertEqual(set(shown), FIELDS)
        base = f"http://testserver/api/v1/attachments/{shown['id']}/"
        self.assertEqual((shown["url"], shown["thumbnail_url"]), (f"{base}file/", f"{base}thumbnail/"))
        self.assertEqual((shown["name"], shown["media_type"]), ("screen.png", "image/png"))
        self.assertEqual((shown["width"], shown["height"], shown["size"]), (30, 20, len(content)))
        self.assertEqual(shown["sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual(shown["uploaded_by"], self.reporter.pk)
        self.assertTrue(shown["created_at"].endswith("Z"))

    def test_it_takes_twenty_files_at_once_and_refuses_more(self) -> None:
        for count, status in ((20, 201), (21, 400), (22, 400), (40, 400)):
            with self.subTest(count):
                files = [upload(f"line {number}".encode(), f"{number}.log") for number in range(count)]

                response = send(self.client_, self.incident, *files)

                self.assertEqual(response.status_code, status)
                if status == 400:
                    self.assertEqual(response.json()["code"], "too_many_files")
        self.assertEqual(Attachment.objects.count(), 20)

    def test_it_stores_no_file_when_one_is_refused_and_names_it(self) -> None:
        cases = {
            "empty": (b"", 400),
            "too large": (b"x" * 2001, 413),
            "SVG": (SVG, 415),
            "truncated": (picture("JPEG", (200, 200))[:300], 400),
        }
        with override_settings(MAX_ATTACHMENT_BYTES=2000):
            for case, (content, status) in cases.items():
                with self.subTest(case):
                    files = [upload(b"fine", "a.log"), upload(content, "bad.txt"), upload(b"fine", "c.log")]

                    response = send(self.client_, self.incident, *files)

                    self.assertEqual(response.status_code, status)
                    problem = response.json()
                    self.assertEqual(problem["file"], "bad.txt")
                    self.assertIn("bad.txt", problem["detail"])
                    self.assertEqual(response["Content-Type"], "application/problem+json")
        self.assertEqual((Attachment.objects.count(), stored_files(default_storage)), (0, []))

    def test_it_answers_503_and_keeps_nothing_when_the_store_is_full(self) -> None:
        files = [upload(b"line", f"{number}.log") for number in range(5)]

        with override_settings(STORAGES=FULL), self.assertLogs("incidents.attachments.storing", "ERROR"):
            response = send(self.client_, self.incident, *files)
            left = stored_files(default_storage)

        self.assertEqual((response.status_code, response.json()["code"]), (503, "storage_unavailable"))
        self.assertEqual((Attachment.objects.count(), left), (0, []))

    def test_it_refuses_a_body_that_was_cut_off(self) -> None:
        head = b'--XX\r\nContent-Disposition: form-data; name="attachments"; filename="app.log"\r\n\r\n'
        whole = head + b"line 1\r\nline 2\r\n" + b"--XX--\r\n"
        address = f"/api/v1/incidents/{self.incident.pk}/attachments/"

        for end in (len(head) // 2, len(head) + 3, len(head) + 16, len(whole) - 4):
            with self.subTest(whole[:end][-8:]):
                response = self.client_.generic("POST", address, whole[:end], "multipart/form-data; boundary=XX")

                self.assertEqual(response.status_code, 400)
        self.assertEqual(Attachment.objects.count(), 0)
        complete = self.client_.generic("POST", address, whole, 'multipart/form-data; boundary="XX"')
        self.assertEqual(complete.status_code, 201)

    def test_it_wants_files(self) -> None:
        address = f"/api/v1/incidents/{self.incident.pk}/attachments/"

        form = self.client_.post(address, {"note": "no file"}, format="multipart")
        json = self.client_.post(address, {"attachments": []}, format="json")

        self.assertEqual((form.status_code, form.json()["errors"][0]["field"]), (400, "attachments"))
        self.assertEqual(json.status_code, 415)

    def test_it_looks_at_files_before_the_transaction_of_a_keyed_request(self) -> None:
        seen: list[bool] = []

        def inspect(files: object) -> object:
            seen.append(len(connection.savepoint_ids) > before)
            return real(files)

        real, before = attaching.inspect, len(connection.savepoint_ids)
        address = "/api/v1/incidents/"
        with mock.patch.object(attaching, "inspect", inspect):
            added = send(self.client_, self.incident, upload(PDF, "report.pdf"), HTTP_IDEMPOTENCY_KEY="two")
            form = {"title": "With a file", "attachments": upload(PDF, "report.pdf")}
            opened = self.client_.post(address, form, format="multipart", HTTP_IDEMPOTENCY_KEY="three")
            bad = send(self.client_, self.incident, upload(b"", "empty.pdf"), HTTP_IDEMPOTENCY_KEY="four")

        self.assertEqual((added.status_code, opened.status_code, bad.status_code), (201, 201, 400))
        self.assertEqual(seen, [False, False, False])
        self.assertEqual(len(opened.json()["attachments"]), 1)

    def test_it_does_a_repeated_request_once(self) -> None:
        answers = [
            send(self.client_, self.incident, upload(PDF, "report.pdf"), HTTP_IDEMPOTENCY_KEY="one") for _ in range(2)
        ]

        self.assertEqual([answer.status_code for answer in answers], [201, 201])
        self.assertEqual(answers[0].content, answers[1].content)
        self.assertEqual((Attachment.objects.count(), len(stored_files(default_storage))), (1, 1))

    def test_it_does_a_repeated_removal_once(self) -> None:
        number = send(self.client_, self.incident, upload(PDF, "report.pdf")).json()[0]["id"]

        answers = [
            self.client_.delete(f"/api/v1/attachments/{number}/", HTTP_IDEMPOTENCY_KEY="one").status_code
            for _ in range(2)
        ]

        self.assertEqual(answers, [204, 204])

    def test_it_opens_an_incident_with_pictures(self) -> None:
        fields = {"title": "Rack 4 is on fire", "attachments": [upload(located_picture()), upload(PDF, "plan.pdf")]}

        response = self.client_.post("/api/v1/incidents/", fields, format="multipart")

        self.assertEqual(response.status_code, 201, response.content)
        names = [shown["media_type"] for shown in response.json()["attachments"]]
        self.assertEqual(names, ["image/jpeg", "application/pdf"])

    def test_it_lists_files_in_pages(self) -> None:
        send(self.client_, self.incident, *[upload(b"x", f"{number}.log") for number in range(3)])

        page = self.client_.get(f"/api/v1/incidents/{self.incident.pk}/attachments/?page_size=2").json()
        rest = self.client_.get(page["next"]).json()

        self.assertEqual([shown["name"] for shown in page["results"] + rest["results"]], ["0.log", "1.log", "2.log"])
        self.assertIsNone(rest["next"])


class FileTests(OwnStore, TestCase):
    """GET attachments/{id}/…/."""

    def setUp(self) -> None:
        super().setUp()
        self.incident = make_incident()
        assert self.incident.reporter is not None
        self.reader = client_of(self.incident.reporter)
        self.admin = client_of(make_admin())

    def test_it_serves_pictures_without_position_and_upright(self) -> None:
        attachment = attach(self.incident, located_picture())

        response = self.reader.get(f"/api/v1/attachments/{attachment.pk}/file/")

        content = body_of(response)
        self.assertEqual((response.status_code, response["Content-Type"]), (200, "image/jpeg"))
        self.assertNotIn(b"Exif", content)
        self.assertEqual(Image.open(io.BytesIO(content)).size, (40, 60))
        self.assertEqual(response["Content-Disposition"], 'inline; filename="photo.jpg"')

    def test_it_lets_the_browser_run_nothing_and_share_nothing(self) -> None:
        for content, name in ((picture(), "a.jpg"), (PDF, "a.pdf"), (b"hello", "a.html")):
            attachment = attach(self.incident, content, name)
            for route in ("file", "original"):
                with self.subTest(name, route=route):
                    response = self.admin.get(f"/api/v1/attachments/{attachment.pk}/{route}/")

                    self.assertEqual(response["X-Content-Type-Options"], "nosniff")
                    self.assertIn("sandbox; default-src 'none'", response["Content-Security-Policy"])
                    self.assertEqual(response["Cache-Control"], "private, no-cache")
                    self.assertIn("Authorization", response["Vary"])
                    self.assertEqual(response["Content-Length"], str(len(body_of(response))))

    def test_it_serves_text_as_a_download_of_plain_text(self) -> None:
        attachment = attach(self.incident, "größe 满".encode("utf-16"), "Bericht ä.html")

        served = self.reader.get(f"/api/v1/attachments/{attachment.pk}/file/")

        self.assertEqual(served["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(served["Content-Disposition"], "attachment; filename*=utf-8''Bericht%20%C3%A4.html.txt")
        self.assertEqual(body_of(served).decode(), "größe 满")

    def test_it_serves_heic_as_jpeg(self) -> None:
        attachment = attach(self.incident, picture("HEIF"), "IMG_1.HEIC")

        response = self.reader.get(f"/api/v1/attachments/{attachment.pk}/file/")

        self.assertEqual(response["Content-Type"], "image/jpeg")
        self.assertEqual(response["Content-Disposition"], 'inline; filename="IMG_1.HEIC.jpg"')

    def test_it_gives_the_original_byte_for_byte_to_those_who_respond(self) -> None:
        content = located_picture("HEIF")
        attachment = attach(self.incident, content, "IMG_1.heic")

        response = client_of(make_responder()).get(f"/api/v1/attachments/{attachment.pk}/original/")

        self.assertEqual((body_of(response), response["Content-Type"]), (content, "image/heic"))
        self.assertEqual(response["Content-Disposition"], 'attachment; filename="IMG_1.heic"')
        self.assertEqual(response["ETag"], f'"{hashlib.sha256(content).hexdigest()}"')

    def test_it_sends_nothing_twice(self) -> None:
        attachment = attach(self.incident, picture())
        address = f"/api/v1/attachments/{attachment.pk}/file/"
        tag = self.reader.get(address)["ETag"]

        response = self.reader.get(address, HTTP_IF_NONE_MATCH=tag)

        self.assertEqual((response.status_code, response.content), (304, b""))
        self.assertNotIn("Content-Disposition", response)

    def test_it_says_when_to_come_back_for_a_thumbnail(self) -> None:
        attachment = attach(self.incident, picture("PNG", (640, 320)))
        address = f"/api/v1/attachments/{attachment.pk}/thumbnail/"

        early = self.reader.get(address)
        assert attachment.thumbnail_due_at is not None
        jobs.make_thumbnails(attachment.thumbnail_due_at)
        late = self.reader.get(address)

        self.assertEqual((early.status_code, early.json()["code"]), (404, "thumbnail_not_ready"))
        self.assertEqual(early["Retry-After"], "2")
        self.assertEqual((late.status_code, late["Content-Type"]), (200, "image/webp"))
        self.assertEqual(Image.open(io.BytesIO(body_of(late))).size, (320, 160))

    def test_it_offers_no_thumbnail_where_there_will_be_none(self) -> None:
        attachment = attach(self.incident, PDF, "report.pdf")

        response = self.reader.get(f"/api/v1/attachments/{attachment.pk}/thumbnail/")
        (shown,) = self.reader.get(f"/api/v1/incidents/{self.incident.pk}/attachments/").json()["results"]

        self.assertEqual((response.status_code, response.json()["code"]), (404, "no_thumbnail"))
        self.assertIsNone(shown["thumbnail_url"])

    def test_it_answers_503_when_a_file_cannot_be_read(self) -> None:
        attachment = attach(self.incident, picture())
        default_storage.delete(attachment.served_key)

        with self.assertLogs("incidents.attachments.storing", "ERROR"):
            response = self.reader.get(f"/api/v1/attachments/{attachment.pk}/file/")

        self.assertEqual((response.status_code, response.json()["code"]), (503, "storage_unavailable"))

    def test_it_leaves_sending_to_the_proxy_where_there_is_one(self) -> None:
        on_disk = {**IN_MEMORY, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
        attachment = attach(self.incident, picture())

        with override_settings(STORAGES=on_disk, X_ACCEL_PREFIX="/protected/"):
            response = self.reader.get(f"/api/v1/attachments/{attachment.pk}/file/")

        self.assertEqual(response["X-Accel-Redirect"], f"/protected/{attachment.served_key}")
        self.assertEqual((response.content, response["Content-Type"]), (b"", "image/jpeg"))
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")


class PermissionTests(OwnStore, TestCase):
    """Every route for everyone."""

    def setUp(self) -> None:
        super().setUp()
        self.reporter, self.other_reporter = make_reporter(), make_reporter()
        self.member, self.outsider, self.admin = make_responder(), make_responder(), make_admin()
        self.team = make_team("Database", self.member)

    def make(self, *, is_restricted: bool) -> Attachment:
        incident = make_incident(by=self.reporter, is_restricted=is_restricted)
        services.assign_team(incident, self.team, by=self.admin)
        attachment = attach(incident, picture())
        assert attachment.thumbnail_due_at is not None
        jobs.make_thumbnails(attachment.thumbnail_due_at)
        return attachment

    def answers(self, person: User | None, *, is_restricted: bool) -> tuple[int, ...]:
        """Statuses of list, add, file, thumbnail, original, delete."""
        attachment = self.make(is_restricted=is_restricted)
        client = client_of(person) if person else APIClient()
        base, files = f"/api/v1/incidents/{attachment.incident_id}/attachments/", f"/api/v1/attachments/{attachment.pk}"
        responses = [
            client.get(base),
            send(client, attachment.incident, upload(b"line", "app.log")),
            *(client.get(f"{files}/{route}/") for route in ("file", "thumbnail", "original")),
            client.delete(f"{files}/"),
        ]
        return tuple(response.status_code for response in responses)

    def test_it_lets_each_do_what_is_theirs(self) -> None:
        nothing = (404,) * 6
        everything = (200, 201, 200, 200, 200, 204)
        # Person → unrestricted, restricted.
        cases: dict[str, tuple[User | None, tuple[int, ...], tuple[int, ...]]] = {
            "anonymous": (None, (401,) * 6, (401,) * 6),
            "reporter": (self.reporter, (200, 201, 200, 200, 403, 204), (200, 201, 200, 200, 403, 204)),
            "another reporter": (self.other_reporter, nothing, nothing),
            "responder of the team": (self.member, everything, everything),
            "responder outside": (self.outsider, (200, 403, 200, 200, 200, 403), nothing),
            "admin": (self.admin, everything, everything),
        }
        for case, (person, unrestricted, restricted) in cases.items():
            with self.subTest(case):
                self.assertEqual(self.answers(person, is_restricted=False), unrestricted)
                self.assertEqual(self.answers(person, is_restricted=True), restricted)

    def test_it_knows_no_file_that_is_not_there(self) -> None:
        client = client_of(self.admin)

        for number in (0, 999_999_999, 99_999_999_999_999_999_999):
            with self.subTest(number):
                self.assertEqual(client.get(f"/api/v1/attachments/{number}/file/").status_code, 404)

    def test_it_hides_the_files_of_a_deleted_incident(self) -> None:
        attachment = self.make(is_restricted=False)
        services.delete(attachment.incident, by=self.admin)

        response = client_of(self.admin).get(f"/api/v1/attachments/{attachment.pk}/file/")

        self.assertEqual(response.status_code, 404)
