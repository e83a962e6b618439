import datetime as dt
import re
from typing import Any

from django.test import Client, TestCase, override_settings

from incidents.models import Incident, Status
from incidents.tests.factories import make_incident, make_team
from notifications.models import AnswerToken, Delivery
from notifications.services.tokens import new_answer_token, new_reply_code
from notifications.tests.factories import make_method, make_page, now
from notifications.vocabulary import State
from tests.reported import reported_failure
from users.models import User
from users.tests.factories import make_responder


class AnswerPageTests(TestCase):
    def setUp(self) -> None:
        self.ana = make_responder(name="Ana")
        self.incident = make_incident(title="Checkout <is> down")
        make_method(self.ana, "email", "ana@example.com")
        page = make_page(self.ana, self.incident)
        self.delivery = Delivery.objects.get(page_id=page.pk)
        Delivery.objects.filter(pk=self.delivery.pk).update(state=State.ACCEPTED, handed_over_at=now())
        self.path = f"/a/{new_answer_token(self.ana.pk, self.incident.pk, self.delivery.pk)}/"
        self.browser = Client(enforce_csrf_checks=True)

    def press(self, path: str = "", **headers: Any) -> Any:
        """Open the page, and press its button."""
        shown = self.browser.get(path or self.path, **headers).content.decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)
        return self.browser.post(
            path or self.path, {"csrfmiddlewaretoken": found[1] if found else "", "user": "2"}, **headers
        )

    def status(self) -> str:
        return Incident.objects.get(pk=self.incident.pk).status

    @reported_failure(24)
    def test_it_shows_the_incident_and_changes_nothing_when_it_is_opened(self):
        for method in (self.browser.get, self.browser.head, self.browser.get):
            answer = method(self.path)

            self.assertEqual(answer.status_code, 200)
        shown = answer.content.decode()
        for words in (self.incident.reference, "Checkout &lt;is&gt; down", "Medium", "Open", "<button>Acknowledge"):
            self.assertIn(words, shown)
        self.assertEqual((self.status(), self.incident.events.count()), (Status.OPEN, 1))
        self.assertIsNone(AnswerToken.objects.get(purpose="link").used_at)

    def test_it_acknowledges_in_the_persons_name(self):
        answer = self.press()

        event = self.incident.events.order_by("seq").last()
        self.delivery.refresh_from_db()
        self.assertEqual(answer.status_code, 200)
        self.assertIn("You acknowledged", answer.content.decode())
        self.assertEqual((self.status(), event.actor, event.actor_label), ("acknowledged", self.ana, "Ana in Email"))
        self.assertEqual(self.delivery.state, State.ANSWERED)

    def test_it_works_once(self):
        form = {"csrfmiddlewaretoken": token(self.browser.get(self.path))}
        self.browser.post(self.path, form)
        events = self.incident.events.count()

        answers = [self.browser.post(self.path, form), self.browser.get(self.path)]

        for answer in answers:
            self.assertEqual(answer.status_code, 410)
            self.assertIn("used before", answer.content.decode())
            self.assertIn(self.incident.reference, answer.content.decode())
            self.assertNotIn("<button", answer.content.decode())
        self.assertEqual(self.incident.events.count(), events)

    def test_it_needs_the_forms_token(self):
        for data in ({}, {"csrfmiddlewaretoken": "x" * 64}):
            answer = self.browser.post(self.path, data)

            self.assertEqual(answer.status_code, 403)
        self.assertEqual(self.status(), Status.OPEN)

    @override_settings(SECURE_SSL_REDIRECT=False)
    def test_it_takes_what_browsers_send_from_a_page_without_referrer(self):
        answer = self.press(HTTP_ORIGIN="null", secure=True)

        self.assertEqual((answer.status_code, self.status()), (200, Status.ACKNOWLEDGED))

    def test_it_takes_nothing_from_another_site(self):
        for headers in (
            {"HTTP_ORIGIN": "https://evil.example"},
            {"HTTP_REFERER": "https://evil.example/x", "secure": True},
        ):
            self.assertEqual(self.press(**headers).status_code, 403)
        self.assertEqual(self.status(), Status.OPEN)

    def test_it_refuses_expired_and_made_up_links_alike(self):
        code = new_reply_code(self.ana.pk, self.incident.pk, self.delivery.pk)
        AnswerToken.objects.update(expires_at=now() - dt.timedelta(seconds=1))
        for path in (self.path, "/a/made-up/", f"/a/{code}/", f"/a/{'x' * 5000}/", "/a/%00/"):
            for answer in (self.browser.get(path), self.press(path)):
                self.assertIn(answer.status_code, (403, 404))
            self.assertIn("This link has expired", self.browser.get(path).content.decode())
        self.assertEqual(self.status(), Status.OPEN)

    def test_it_refuses_the_links_of_people_who_left_or_may_not_see_the_incident(self):
        cases: list[tuple[Any, dict[str, Any], str]] = [
            (User.objects.filter(pk=self.ana.pk), {"is_active": False}, "deactivated"),
            (
                Incident.objects.filter(pk=self.incident.pk),
                {"is_restricted": True, "team": make_team("Other")},
                "nowhere",
            ),
            (Incident.objects.filter(pk=self.incident.pk), {"deleted_at": now(), "is_restricted": False}, "nowhere"),
        ]
        for rows, change, words in cases:
            with self.subTest(change):
                before = rows.values(*change).get()
                shown = self.browser.get(self.path)  # and its button, while it was allowed
                rows.update(**change)
                answers = [
                    self.browser.get(self.path),
                    self.browser.post(self.path, {"csrfmiddlewaretoken": token(shown)}),
                ]
                rows.update(**before)

                for answer in answers:
                    self.assertIn(answer.status_code, (403, 404))
                    self.assertIn(words, answer.content.decode())
                    self.assertNotIn("Checkout", answer.content.decode())
        self.assertEqual(self.status(), Status.OPEN)

    def test_it_keeps_a_link_that_could_not_act(self):
        Incident.objects.filter(pk=self.incident.pk).update(team=make_team("Other"))

        answer = self.press()

        self.assertEqual(answer.status_code, 403)
        self.assertIn("another team", answer.content.decode())
        self.assertIsNone(AnswerToken.objects.get(purpose="link").used_at)

    def test_it_says_who_was_quicker(self):
        Incident.objects.filter(pk=self.incident.pk).update(status=Status.IN_PROGRESS)

        self.assertIn("I have seen it", self.browser.get(self.path).content.decode())
        self.assertIn("already", self.press().content.decode())

    def test_it_keeps_the_address_out_of_sites_caches_and_indexes(self):
        for path in (self.path, "/a/made-up/"):
            answer = self.browser.get(path)

            self.assertEqual(answer["Referrer-Policy"], "no-referrer")
            self.assertEqual(answer["Cache-Control"], "no-store")
            self.assertIn("noindex", answer["X-Robots-Tag"])
            self.assertIn("default-src 'none'", answer["Content-Security-Policy"])
            self.assertIn("form-action 'self'", answer["Content-Security-Policy"])
            self.assertNotIn("<script", answer.content.decode())

    def test_it_logs_no_address(self):
        with self.assertNoLogs("django", "WARNING"):
            self.browser.get("/a/made-up-but-secret/")
            self.browser.post(self.path)

    def test_it_takes_no_other_methods(self):
        self.assertEqual(self.browser.put(self.path).status_code, 403)
        self.assertEqual(Client().put(self.path).status_code, 405)


def token(answer: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.content.decode())
    return found[1] if found else ""
