import tempfile
from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.urls import reverse
from PIL import Image

from incidents import services
from incidents.models import Attachment, Incident, Origin
from incidents.tests.factories import make_incident, make_team
from users.tests.factories import make_admin, make_responder


def picture() -> SimpleUploadedFile:
    """A small PNG."""
    content = BytesIO()
    Image.new("RGB", (40, 30), "red").save(content, "PNG")
    return SimpleUploadedFile("screen.png", content.getvalue())


class AttachmentTests(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        storage = {
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": folder.name},
            },
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        }
        settings = override_settings(STORAGES=storage)
        settings.enable()
        self.addCleanup(settings.disable)
        self.member, self.outsider = make_responder(), make_responder()
        self.incident = make_incident(is_restricted=True)
        services.assign_team(self.incident, make_team("Database", self.member), by=make_admin())
        self.client.force_login(self.member)

    def page(self, incident: Incident, name: str, *more: object) -> str:
        return reverse(f"admin:incidents_incident_{name}", args=[incident.pk, *more])

    def attach(self, *files: SimpleUploadedFile):
        return self.client.post(self.page(self.incident, "attach"), {"files": list(files)}, follow=True)

    def test_it_adds_and_shows_files(self) -> None:
        answer = self.attach(picture(), SimpleUploadedFile("log.txt", b"a line\n"))

        shown = Attachment.objects.get(name="screen.png")
        served = self.client.get(self.page(self.incident, "attachment", shown.pk, "file"))
        self.assertContains(answer, "2 files added.")
        self.assertEqual((served.status_code, served["Content-Type"]), (200, "image/png"))
        self.assertIn("sandbox", served["Content-Security-Policy"])
        self.assertEqual(served["X-Content-Type-Options"], "nosniff")
        self.assertEqual(self.incident.events.last().origin, Origin.ADMIN)
        b"".join(served.streaming_content)

    def test_it_says_why_a_file_is_refused(self) -> None:
        nothing = self.attach()
        foreign = self.attach(SimpleUploadedFile("tool.exe", b"MZ\x90\x00" + bytes(200)))

        self.assertContains(nothing, "Choose a file first")
        self.assertContains(foreign, "tool.exe")
        self.assertFalse(Attachment.objects.exists())

    def test_it_removes_a_file_after_asking(self) -> None:
        self.attach(picture())
        url = self.page(self.incident, "remove_attachment", Attachment.objects.get().pk)

        asked = self.client.get(url)
        self.client.post(url, {"apply": "1"})

        self.assertContains(asked, "Remove screen.png")
        self.assertFalse(Attachment.objects.exists())

    def test_it_hides_files_with_their_incident(self) -> None:
        self.attach(picture())
        file = Attachment.objects.get()
        other = make_incident()
        self.client.force_login(self.outsider)

        answers = [
            self.client.get(self.page(incident, "attachment", file.pk, variant))
            for incident, variant in ((self.incident, "file"), (self.incident, "original"), (other, "file"))
        ]

        self.assertEqual([answer.status_code for answer in answers], [404, 404, 404])
        self.assertEqual(self.client.post(self.page(self.incident, "attach"), {"files": picture()}).status_code, 404)

    def test_it_answers_404_for_what_is_not_there(self) -> None:
        self.attach(picture())
        file = Attachment.objects.get()

        for variant in ("thumbnail", "nonsense"):
            answer = self.client.get(self.page(self.incident, "attachment", file.pk, variant))

            self.assertEqual(answer.status_code, 404)
