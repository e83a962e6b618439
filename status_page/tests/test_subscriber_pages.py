import re

from django.core import mail
from django.core.cache import cache
from django.test import Client, TestCase, override_settings
from django.utils import timezone

from core.db.clock import database_now
from notifications.channels.email.channel import CHANNEL
from notifications.services.sending import sender_of
from status_page.access import COOKIE, cookie
from status_page.links import manage_token
from status_page.models import Subscriber
from status_page.services.page import edit_page, new_access_key
from status_page.services.telling import plan_telling
from status_page.tests.factories import make_component, make_page, make_public_incident, make_subscriber
from status_page.vocabulary import SubscriberState
from users.tests.factories import make_admin

LINK = re.compile(r"http://127\.0\.0\.1:8000(/status/(?:confirm|unsubscribe|manage)/[^/\s]+/)")


class SubscriberPageTests(TestCase):
    def setUp(self) -> None:
        cache.clear()  # the rates of other tests
        make_page()
        self.web = make_component("Website")
        self.stranger = Client(enforce_csrf_checks=True)

    def send(self) -> list[str]:
        """Send what waits, and return the addresses in the last mail."""
        sender_of(CHANNEL).run()
        return LINK.findall(str(mail.outbox[-1].body))

    def test_it_subscribes_a_stranger_who_confirms_and_leaves(self) -> None:
        self.stranger.post(
            "/status/subscribe/", {"email": "ana@example.org", "components": self.web.pk, "language": "de"}
        )
        [link] = self.send()
        asked = self.stranger.get(link)
        self.assertContains(asked, "ana@example.org")
        self.assertEqual(Subscriber.objects.get().state, SubscriberState.PENDING)

        self.stranger.post(link)
        make_public_incident(components=[self.web])
        plan_telling(database_now())
        links = self.send()
        leave = next(one for one in links if "unsubscribe" in one)
        self.stranger.post(leave, {"List-Unsubscribe": "One-Click"})

        self.assertEqual(Subscriber.objects.get().state, SubscriberState.UNSUBSCRIBED)
        self.assertEqual(mail.outbox[-1].extra_headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_it_answers_alike_whether_an_address_is_known(self) -> None:
        make_subscriber("ana@example.org")

        known = self.stranger.post("/status/subscribe/", {"email": "ana@example.org"})
        new = self.stranger.post("/status/subscribe/", {"email": "ben@example.org"})

        self.assertEqual((known.status_code, known.content), (new.status_code, new.content))

    def test_it_changes_nothing_when_a_scanner_opens_links(self) -> None:
        reader = make_subscriber("ana@example.org")

        for what in ("manage", "unsubscribe"):
            self.assertEqual(self.stranger.get(f"/status/{what}/{manage_token(reader.pk)}/").status_code, 200)

        reader.refresh_from_db()
        self.assertEqual(reader.state, SubscriberState.ACTIVE)

    def test_it_saves_what_a_subscriber_chooses(self) -> None:
        reader = make_subscriber("ana@example.org")

        answer = self.stranger.post(
            f"/status/manage/{manage_token(reader.pk)}/", {"components": [self.web.pk], "language": "de"}
        )

        reader.refresh_from_db()
        self.assertEqual(answer["Content-Language"], "de")
        self.assertEqual((reader.language, list(reader.components.all())), ("de", [self.web]))

    def test_it_refuses_with_a_page(self) -> None:
        cases = {
            "no address": ("/status/subscribe/", {"email": ""}, 400),
            "no number": ("/status/subscribe/", {"email": "ana@example.org", "components": "x"}, 400),
            "forged": ("/status/confirm/abc/", {}, 404),
            "unknown": (f"/status/manage/{manage_token(10**9)}/", {}, 404),
        }

        for name, (path, data, status) in cases.items():
            with self.subTest(name):
                answer = self.stranger.post(path, data)
                self.assertEqual(answer.status_code, status)
                self.assertIn("text/html", answer["Content-Type"])

    @override_settings(RATES_PER_ADDRESS={"subscribe": "2/hour"})
    def test_it_slows_down_who_asks_too_often(self) -> None:
        answers = [self.stranger.post("/status/subscribe/", {"email": f"a{n}@example.org"}) for n in range(3)]

        self.assertEqual([answer.status_code for answer in answers], [200, 200, 429])
        self.assertIn("Retry-After", answers[-1])

    def test_it_speaks_the_visitors_language(self) -> None:
        answer = self.stranger.get("/status/subscribe/", headers={"Accept-Language": "de-AT, en;q=0.5"})

        self.assertEqual(answer["Location"], "http://127.0.0.1:8000/status/de/subscribe.html")

    def test_it_speaks_languages_with_a_region(self) -> None:
        edit_page(by=make_admin(), changes={"languages": ["en", "pt-br"]})

        answer = self.stranger.get("/status/subscribe/", headers={"Accept-Language": "pt-BR"})

        self.assertIn("/status/pt-br/subscribe.html", answer["Location"])

    def test_it_lets_only_those_subscribe_who_may_open_a_private_page(self) -> None:
        new_access_key(by=make_admin())
        page = edit_page(by=make_admin(), changes={"is_private": True, "name": "Acme inside"})
        now = timezone.now()

        refused = self.stranger.post("/status/subscribe/", {"email": "spy@example.org"})
        self.stranger.cookies[COOKIE] = cookie(page.access_digest, now, path="/").partition("=")[2].partition(";")[0]
        let_in = self.stranger.post("/status/subscribe/", {"email": "ana@example.org"})

        self.assertEqual((refused.status_code, let_in.status_code), (403, 200))
        self.assertNotContains(refused, "Acme inside", status_code=403)
        self.assertEqual([one.email for one in Subscriber.objects.all()], ["ana@example.org"])
