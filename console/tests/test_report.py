import json
import re
import threading
import uuid
from collections.abc import Iterator
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client, TestCase, TransactionTestCase, override_settings, skipUnlessDBFeature
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from assistant.tests.factories import make_history, train
from console.reporting.sending import person_key
from console.views.shell import FILES
from core.models import IdempotentRequest
from core.severity import Severity
from incidents.models import Attachment, Incident, Origin, ReportRule
from incidents.services import resolve
from incidents.tests.factories import make_category, make_incident, make_service, make_team
from incidents.tests.files import FINDINGS, IMAGES, IN_MEMORY, picture, upload
from responders.models import Team
from responders.tests.schedules import layer, make_schedule
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder

REPORT = "/report/"
JSON = {"accept": "application/json"}


def send(client: Client, key: str = "", **fields: Any) -> Any:
    headers = {**JSON, **({"idempotency-key": key} if key else {})}
    return client.post(REPORT, {"title": "Printer on fire", **fields}, headers=headers)


@override_settings(STORAGES=IN_MEMORY)
class ReportTests(TestCase):
    def setUp(self) -> None:
        self.reporter = make_reporter()
        self.client.force_login(self.reporter)

    def test_it_shows_a_form_that_needs_no_script(self) -> None:
        make_category()

        page = self.client.get(REPORT + "?title=Printer")

        self.assertContains(page, 'enctype="multipart/form-data"')
        self.assertContains(page, 'value="Printer"')
        self.assertContains(page, 'capture="environment"')
        self.assertNotContains(page, 'name="team"')
        self.client.force_login(make_responder())
        make_team()
        self.assertContains(self.client.get(REPORT), 'name="team"')

    def test_it_takes_a_report_with_its_files(self) -> None:
        service, category = make_service(), make_category()

        response = self.client.post(
            REPORT,
            {
                **{"title": "Printer on fire", "description": " Smoke\n", "severity": "high", "location": "Hall 3"},
                **{"category": category.slug, "services": service.slug, "occurred_at": "2026-03-02T10:00"},
                **{"attachments": [upload(picture(), "fire.png"), upload(b"a line\n", "printer.log")]},
            },
        )

        incident = Incident.objects.get()
        self.assertRedirects(response, f"/report/sent/{incident.reference}/", status_code=303)
        self.assertEqual((incident.title, incident.description, incident.severity), ("Printer on fire", " Smoke\n", 3))
        self.assertEqual((incident.category, list(incident.services.all())), (category, [service]))
        self.assertEqual((incident.location, incident.origin_system), ("Hall 3", "console"))
        self.assertEqual(incident.events.order_by("seq")[0].origin, Origin.CONSOLE)
        self.assertEqual(list(incident.attachments.values_list("name", flat=True)), ["fire.png", "printer.log"])

    def test_it_says_what_is_wrong_and_keeps_what_was_written(self) -> None:
        table: list[tuple[dict[str, Any], str]] = [
            ({"title": ""}, "title"),
            ({"title": "x" * 201}, "title"),
            ({"severity": "worst"}, "severity"),
            ({"occurred_at": "2999-01-01T00:00"}, "occurred_at"),
            ({"occurred_at": "soon"}, "occurred_at"),
            ({"location": "x" * 201}, "location"),
            ({"description": "a\0b"}, "description"),
        ]
        for fields, field in table:
            with self.subTest(fields):
                page = self.client.post(REPORT, {"title": "Printer", "description": "Smoke", **fields})
                told = send(self.client, **fields)

                self.assertContains(page, "Smoke" if "description" not in fields else "Printer", status_code=400)
                self.assertTrue(page.context["form"].errors[field])
                self.assertEqual((told.status_code, told.json()["errors"][0]["field"]), (400, field))
        self.assertFalse(Incident.objects.exists())

    def test_it_names_each_file_that_it_refuses(self) -> None:
        files = [upload(picture(), "good.png"), upload(b"", "empty.txt"), upload(b"MZ\x90\0" * 9, "<b>virus.exe")]
        told = send(self.client, attachments=files).json()

        self.assertEqual(
            [(one["file"], one["index"]) for one in told["errors"]], [("empty.txt", 1), ("<b>virus.exe", 2)]
        )
        self.assertFalse(Incident.objects.exists() or Attachment.objects.exists())
        page = self.client.post(REPORT, {"title": "x", "attachments": [upload(b"", "empty.txt")]})
        self.assertContains(page, "empty.txt is empty", status_code=400)

    def test_it_refuses_too_many_files(self) -> None:
        with override_settings(MAX_ATTACHMENTS=1):
            told = send(self.client, attachments=[upload(b"a", "a.txt"), upload(b"b", "b.txt")])

        self.assertEqual((told.status_code, told.json()["errors"][0]["field"]), (400, "attachments"))

    def test_it_takes_and_refuses_what_the_api_does(self) -> None:
        if not IMAGES.is_dir():
            self.skipTest("no pictures")
        for path in sorted([*IMAGES.iterdir(), *FINDINGS.glob("*.[gjw]*")]):
            if path.suffix not in (".jpg", ".png", ".gif", ".webp", ".heif"):
                continue
            with self.subTest(path.name):
                by_page = send(self.client, attachments=[upload(path.read_bytes(), path.name)])
                by_api = self.client.post(
                    "/api/v1/incidents/",
                    {"title": "x", "attachments": [upload(path.read_bytes(), path.name)]},
                    headers={"authorization": f"Bearer {_token(self.reporter)}"},
                )

                self.assertEqual(by_page.status_code, by_api.status_code)

    def test_it_gives_reporters_no_way_to_choose_a_team(self) -> None:
        team = make_team()

        send(self.client, team=team.pk)

        self.assertIsNone(Incident.objects.get().team)

    def test_it_lets_responders_choose_a_team(self) -> None:
        self.client.force_login(make_responder())
        team = make_team()

        send(self.client, team=team.pk, is_restricted="on")

        incident = Incident.objects.get()
        self.assertEqual((incident.team, incident.is_restricted), (team, True))

    def test_it_follows_the_rules(self) -> None:
        team = make_team("Facilities")
        ReportRule.objects.create(name="Fire", words=["fire"], team=team, severity=Severity.CRITICAL)

        send(self.client)

        incident = Incident.objects.get()
        self.assertEqual((incident.team, incident.severity), (team, Severity.CRITICAL))

    def test_it_tells_scripts_who_is_missing(self) -> None:
        other = send(self.client, **{}).status_code
        self.assertEqual(other, 201)
        told = self.client.post(
            REPORT, {"title": "x"}, headers={**JSON, "x-report-person": person_key(make_reporter())}
        )
        self.assertEqual((told.status_code, told.json()["code"]), (409, "other_person"))
        self.client.logout()
        self.assertEqual(send(self.client).status_code, 401)
        self.assertEqual(self.client.get(REPORT).status_code, 302)
        self.assertEqual(Incident.objects.count(), 1)

    def test_it_wants_a_token(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.reporter)
        self.assertEqual(send(client).status_code, 403)

        told = client.get("/report/token/").json()
        response = client.post(REPORT, {"title": "x"}, headers={**JSON, "x-csrftoken": told["token"]})

        self.assertEqual((response.status_code, told["person"]), (201, person_key(self.reporter)))
        self.assertEqual(Client().get("/report/token/").json()["person"], "")

    def test_it_says_loudly_that_nobody_gets_what_nobody_gets(self) -> None:
        self.client.force_login(make_admin())
        pages = (REPORT, "/system/", "/settings/report-rules/")
        for path in pages:
            self.assertContains(self.client.get(path), "There is no default team")
        Team.objects.filter(pk=make_team().pk).update(is_default=True)
        for path in pages:
            self.assertNotContains(self.client.get(path), "There is no default team")

    def test_it_asks_a_constant_number_of_questions(self) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                self.client.get(REPORT)
            return len(queries)

        before = count()
        for number in range(20):
            make_service(f"service-{number}")
            make_category(f"category-{number}")
        self.assertEqual(count(), before)
        self.assertLessEqual(before, 12)


def _files_below(folder: str) -> Iterator[str]:
    if not default_storage.exists(folder):
        return
    folders, files = default_storage.listdir(folder)
    yield from files
    for name in folders:
        yield from _files_below(f"{folder}/{name}")


def _token(user: Any) -> str:
    answer = APIClient().post("/api/v1/auth/token/", {"email": user.email, "password": PASSWORD}, format="json")
    return str(answer.json()["access"])


@override_settings(STORAGES=IN_MEMORY)
class OnceTests(TestCase):
    def setUp(self) -> None:
        self.reporter = make_reporter()
        self.client.force_login(self.reporter)
        self.key = str(uuid.uuid4())

    def test_it_takes_a_repeat_for_the_first(self) -> None:
        first, second = (
            send(self.client, self.key, attachments=[upload(picture(), "fire.png")]) for _number in range(2)
        )

        self.assertEqual((first.status_code, second.status_code, first.json()), (201, 201, second.json()))
        self.assertEqual((Incident.objects.count(), Attachment.objects.count()), (1, 1))

    def test_it_remembers_longer_than_answers_are_kept(self) -> None:
        first = send(self.client, self.key)
        IdempotentRequest.objects.all().delete()

        second = send(self.client, self.key, description="Edited since")

        self.assertEqual((second.json(), Incident.objects.count()), (first.json(), 1))

    def test_it_says_that_changes_came_too_late(self) -> None:
        first = send(self.client, self.key)

        second = send(self.client, self.key, description="Edited since")

        self.assertEqual(second.json()["url"], first.json()["url"] + "?changed=1")
        self.assertContains(self.client.get(second.json()["url"]), "had arrived before")
        self.assertEqual(Incident.objects.count(), 1)

    def test_it_takes_a_double_click_for_one(self) -> None:
        fields = {"title": "Printer on fire", "client_uid": self.key}
        responses = [self.client.post(REPORT, fields) for _number in range(2)]

        self.assertEqual([one.status_code for one in responses], [303, 303])
        self.assertEqual(len({one["Location"] for one in responses}), 1)
        self.assertEqual(Incident.objects.count(), 1)

    def test_it_keeps_people_s_keys_apart(self) -> None:
        send(self.client, self.key)
        self.client.force_login(make_reporter())
        send(self.client, self.key)

        self.assertEqual(Incident.objects.count(), 2)

    def test_it_takes_a_corrected_report_with_a_new_key(self) -> None:
        page = self.client.post(REPORT, {"title": "", "client_uid": self.key})

        self.assertNotContains(page, self.key, status_code=400)

    def test_it_makes_a_key_of_nonsense(self) -> None:
        for key in ("", "x", "é" * 300):
            with self.subTest(key):
                self.assertEqual(self.client.post(REPORT, {"title": "x", "client_uid": key}).status_code, 303)

    def test_it_keeps_no_files_of_a_report_that_failed(self) -> None:
        with mock.patch("console.reporting.sending.open_incident", side_effect=RuntimeError):
            self.client.raise_request_exception = False
            response = send(self.client, self.key, attachments=[upload(picture(), "fire.png")])
        self.assertEqual(response.status_code, 500)
        self.assertEqual(list(_files_below("attachments")), [])
        self.assertEqual(send(self.client, self.key).status_code, 201)


@skipUnlessDBFeature("has_select_for_update")
@override_settings(STORAGES=IN_MEMORY)
class ConcurrentTests(TransactionTestCase):
    def test_two_at_once_are_one(self) -> None:
        reporter, key, answers = make_reporter(), str(uuid.uuid4()), []

        def post() -> None:
            client = Client()
            client.force_login(reporter)
            answers.append(send(client, key, attachments=[upload(picture(), "fire.png")]))
            connection.close()

        threads = [threading.Thread(target=post) for _number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        taken = [one for one in answers if one.status_code == 201]
        self.assertTrue(taken)
        self.assertEqual({one.status_code for one in answers} - {201, 409, 503}, set())
        self.assertEqual(len({one.json()["reference"] for one in taken}), 1)
        self.assertEqual((Incident.objects.count(), Attachment.objects.count()), (1, 1))


@override_settings(STORAGES=IN_MEMORY)
class SimilarTests(TestCase):
    def setUp(self) -> None:
        self.responder = make_responder()
        self.client.force_login(self.responder)
        self.path = reverse("console:report-similar")

    def found(self, title: str) -> list[Incident]:
        found: list[Incident] = self.client.get(self.path, {"title": title}).context["found"]
        return found

    def test_it_finds_open_incidents_that_share_telling_words(self) -> None:
        for title in ("Mail is slow", "Door is open", "Heating is off"):
            make_incident(title=title)
        fire = make_incident(title="Smoke from the printer")
        told = make_incident(title="Strange smell", description="It comes from the printer on floor 2")
        resolve(make_incident(title="Printer on fire"), by=make_admin(), note="Out")

        self.assertEqual(self.found("Printer smokes"), [fire, told])
        self.assertEqual(self.found("Printer"), [fire, told])
        self.assertEqual(self.found("Coffee is cold"), [])
        self.assertEqual(self.found("Coffee in the kitchen"), [])
        self.assertEqual(self.found("!?"), [])

    def test_it_shows_reporters_only_what_they_see(self) -> None:
        reporter = make_reporter()
        own, _other = make_incident(by=reporter, title="Printer on fire"), make_incident(title="Printer on fire")
        secret = make_incident(title="Printer on fire", is_restricted=True)

        self.assertNotIn(secret, self.found("Printer on fire"))
        self.client.force_login(reporter)
        self.assertEqual(self.found("Printer on fire"), [own])

    def test_it_suggests_a_severity(self) -> None:
        ReportRule.objects.create(name="Fire", words=["fire"], severity=Severity.CRITICAL)

        self.assertContains(self.client.get(self.path, {"title": "Fire!"}), 'data-severity="4"')
        self.assertNotContains(self.client.get(self.path, {"title": "Water"}), "data-severity")

    def test_it_suggests_what_earlier_reports_became(self) -> None:
        network, office = make_team("Network"), make_team("Office")
        stories = [
            ("VPN tunnel drops packets", network, make_category("vpn"), Severity.HIGH),
            ("Printer paper jam", office, make_category("paper"), Severity.LOW),
        ]
        make_history(stories, admin=make_admin())
        train()

        asked = {"title": "The tunnel drops", "description": "VPN packets are lost"}
        found = {one["field"]: one["value"] for one in self.client.get(self.path, asked).context["learnt"]}
        self.assertEqual(found, {"category": "vpn", "severity": "high", "team": network.pk})

        chosen = self.client.get(self.path, {**asked, "severity": "low", "category": "paper", "team": office.pk})
        self.assertEqual(chosen.context["learnt"], [])
        self.assertEqual(self.client.get(self.path, {"title": "Qwzx blorp"}).context["learnt"], [])

        ReportRule.objects.create(name="Tunnel", words=["tunnel"], severity=Severity.CRITICAL, team=office)
        ruled = self.client.get(self.path, asked)
        self.assertEqual([one["field"] for one in ruled.context["learnt"]], ["category"])

        self.client.force_login(make_reporter())
        ReportRule.objects.all().delete()
        response = self.client.get(self.path, asked)
        self.assertEqual({one["field"] for one in response.context["learnt"]}, {"category", "severity"})
        self.assertNotContains(response, "Network")

    def test_it_shows_titles_as_text(self) -> None:
        make_incident(title="<img src=x onerror=alert(1)> printer")

        self.assertNotContains(self.client.get(self.path, {"title": "printer"}), "<img")

    def test_it_asks_a_constant_number_of_questions(self) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                self.client.get(self.path, {"title": "Printer on fire"})
            return len(queries)

        make_incident(title="Printer on fire")
        before = count()
        for _number in range(10):
            make_incident(title="Printer on fire", by=self.responder)
        self.assertEqual(count(), before)
        self.assertLessEqual(before, 11)

    def test_it_adds_what_i_see_to_the_same(self) -> None:
        incident = make_incident(title="Printer on fire")
        path = reverse("console:report-same", args=[incident.reference])
        key = str(uuid.uuid4())
        fields = {"title": "Smoke", "description": "Black", "client_uid": key}

        for _number in range(2):
            response = self.client.post(path, {**fields, "attachments": [upload(picture(), "fire.png")]})

        self.assertEqual((response.status_code, response["Location"]), (303, f"/incidents/{incident.reference}/"))
        self.assertTrue(incident.subscriptions.filter(user=self.responder).exists())
        bodies = [event.body for event in incident.events.filter(kind="comment")]
        self.assertEqual((bodies, incident.attachments.count()), (["Smoke\n\nBlack"], 1))
        self.assertEqual(Incident.objects.count(), 1)

    def test_it_adds_nothing_to_what_one_does_not_see(self) -> None:
        incident = make_incident(title="Printer on fire")
        path = reverse("console:report-same", args=[incident.reference])
        self.assertEqual(self.client.get(path).status_code, 405)
        self.client.force_login(make_reporter())

        self.assertEqual(self.client.post(path, {"title": "Smoke"}).status_code, 404)
        self.assertEqual(self.client.post(path, {"title": "Smoke"}, headers=JSON).status_code, 404)
        self.assertFalse(incident.events.filter(kind="comment").exists())


class SentTests(TestCase):
    def test_it_says_what_happens_next(self) -> None:
        reporter, member = make_reporter(), make_responder(name="Olga Call", email="olga@example.com")
        team = make_team("Facilities", member)
        make_schedule(layer(member), team=team)
        incident = make_incident(by=make_admin(), team=team, title="<b>Fire</b>")
        incident.subscriptions.create(user=reporter, created_at=timezone.now())
        self.client.force_login(reporter)

        page = self.client.get(f"/report/sent/{incident.reference}/")

        self.assertContains(page, "Olga Call")
        self.assertContains(page, "Facilities")
        self.assertNotContains(page, "olga@example.com")
        self.assertNotContains(page, "<b>Fire")
        self.client.force_login(make_reporter())
        self.assertEqual(self.client.get(f"/report/sent/{incident.reference}/").status_code, 404)

    def test_it_says_that_nobody_has_it(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)
        self.client.force_login(reporter)

        self.assertContains(self.client.get(f"/report/sent/{incident.reference}/"), "no team yet")


class ShellTests(TestCase):
    """What a device keeps is nobody's."""

    def test_it_keeps_nothing_private(self) -> None:
        team, service = make_team("Secret team"), make_service("secret-service")
        make_incident(by=make_admin(), team=team, services=[service], title="Secret incident")
        script = self.client.get("/service-worker.js").content.decode()
        shell = json.loads(script.split("const SHELL = ", 1)[1].split(";", 1)[0])

        self.assertEqual([url for url in shell if not url.startswith("/static/")], ["/offline/", "/report/shell/"])
        for url in shell[:2]:
            anonymous = self.client.get(url)
            admin = Client()
            admin.force_login(make_admin(name="Ada Private"))
            signed_in = admin.get(url)
            with self.subTest(url):
                self.assertEqual((anonymous.status_code, anonymous.content), (200, signed_in.content))
                for word in ("Ada", "ecret", "csrfmiddlewaretoken", 'data-person="1'):
                    self.assertNotIn(word, signed_in.content.decode())
                self.assertFalse(anonymous.cookies or signed_in.cookies)

    def test_it_keeps_every_module_that_the_form_needs(self) -> None:
        imported = re.compile(r"""import\s+(?:[^"']*?from\s+)?["']\./([\w.-]+)["']""")
        for name in FILES:
            if name.endswith(".js"):
                source = (settings.BASE_DIR / "static" / name).read_text(encoding="utf-8")
                with self.subTest(name):
                    self.assertLessEqual({f"console/{found}" for found in imported.findall(source)}, set(FILES))

    def test_a_proxy_can_show_a_page_of_one_file(self) -> None:
        page = (settings.BASE_DIR / "static/maintenance.html").read_text(encoding="utf-8")

        self.assertNotIn("src=", page)
        self.assertNotIn("<link", page)

    def test_its_script_caches_nothing_else(self) -> None:
        script = self.client.get("/service-worker.js").content.decode()

        self.assertEqual(script.count("cache.addAll(fresh)"), 1)
        self.assertNotIn("cache.put", script)
        self.assertIn('credentials: "omit"', script)

    def test_it_may_serve_all_pages_and_is_never_old(self) -> None:
        response = self.client.get("/service-worker.js")

        self.assertEqual(response["Service-Worker-Allowed"], "/")
        self.assertEqual((response["Cache-Control"], response["Content-Type"]), ("no-cache", "text/javascript"))

    def test_it_is_installable(self) -> None:
        response = self.client.get("/manifest.webmanifest")
        body = response.json()

        self.assertEqual(response["Content-Type"], "application/manifest+json")
        self.assertEqual((body["display"], body["scope"]), ("standalone", "/"))
        self.assertLessEqual({"192x192", "512x512"}, {icon["sizes"] for icon in body["icons"]})
        self.assertIn("maskable", {icon.get("purpose") for icon in body["icons"]})
