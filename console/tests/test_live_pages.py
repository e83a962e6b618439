import gzip
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.test import TestCase, override_settings
from django.urls import reverse

from console.live import polling
from incidents import services
from incidents.services import feed
from incidents.tests.factories import make_incident, make_team
from notifications.channels.push import vapid
from notifications.models import ContactMethod
from users.tests.factories import make_admin, make_reporter, make_responder

SCRIPTS = settings.BASE_DIR / "static" / "console"


class PollTests(TestCase):
    def setUp(self):
        self.user = make_responder()
        self.client.force_login(self.user)

    def poll(self, after="", **query):
        feed.assign_places()
        return self.client.get(reverse("console:live-poll"), {"after": after, **query})

    def test_it_asks_strangers_to_sign_in(self):
        self.client.logout()
        for name in ("live-poll", "live-alarms"):
            response = self.client.get(reverse(f"console:{name}"))

            self.assertEqual((response.status_code, response.json()["code"]), (401, "not_authenticated"))

    def test_it_tells_another_person_nothing(self):
        self.assertEqual(self.poll(person=self.user.pk).status_code, 200)
        self.assertEqual(self.poll(person=self.user.pk + 1).status_code, 401)

    def test_it_returns_what_happened(self):
        make_incident(title="Before")
        place = self.poll().json()["feed_seq"]
        make_incident(title="After")
        make_incident(title="Hidden", is_restricted=True)
        response = self.poll(place)

        news = response.json()
        self.assertEqual({one["title"] for one in news["events"]}, {"After"})
        self.assertEqual((news["feed_seq"], news["is_resync"], news["unread"]), (feed.head(), False, 0))
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertEqual(self.poll(news["feed_seq"]).json()["events"], [])

    def test_it_asks_to_load_again_after_too_long(self):
        make_incident()
        self.poll()
        for after in ("nonsense", str(feed.head() + 1), "9" * 30):
            news = self.poll(after).json()

            self.assertEqual((news["is_resync"], news["events"], news["feed_seq"]), (True, [], feed.head()))
        with mock.patch.object(polling, "REPLAY_MOST", 0):
            self.assertTrue(self.poll(0).json()["is_resync"])

    def test_it_keeps_no_stream_on_a_thread(self):
        response = self.client.get(reverse("console:live"))

        self.assertEqual((response.status_code, response.json()["code"]), (501, "no_streams"))
        self.assertEqual(self.client.post(reverse("console:live")).status_code, 405)
        self.client.logout()
        self.assertEqual(self.client.get(reverse("console:live")).status_code, 401)

    def test_it_lists_what_nobody_has_acknowledged(self):
        team = make_team("Database", self.user)
        critical = make_incident(by=make_admin(), severity=4, team=team)
        make_incident(is_restricted=True)
        services.acknowledge(make_incident(), by=make_admin())

        answer = self.client.get(reverse("console:live-alarms")).json()
        expected = {"incident": critical.pk, "severity": "critical", "team": team.pk, "assignee": None}
        self.assertEqual(answer, {"teams": [team.pk], "incidents": [expected]})


class PageTests(TestCase):
    def test_it_says_where_in_the_feed_a_page_was_made(self):
        self.client.force_login(make_responder())
        make_incident()
        feed.assign_places()
        page = self.client.get(reverse("console:inbox"))

        self.assertContains(page, f'data-after="{feed.head()}"')
        self.assertContains(page, "data-live-state")
        self.assertContains(page, "data-sound")

    def test_it_asks_no_database_where_a_tailer_runs(self):
        with mock.patch.object(polling.asgi, "position", return_value=77), self.assertNumQueries(0):
            self.assertEqual(polling.page_position(), 77)

    def test_it_alarms_no_reporters(self):
        self.client.force_login(make_reporter())

        self.assertNotContains(self.client.get(reverse("console:inbox")), "data-sound")

    def test_it_loads_little(self):
        for names in (["live.js", "live_connection.js"], ["sound.js"]):
            size = sum(len(gzip.compress((SCRIPTS / name).read_bytes())) for name in names)

            self.assertLessEqual(size, 4096, names)

    def test_it_imports_what_is_there(self):
        self.assertTrue(all(Path(SCRIPTS / name).is_file() for name in ("live_worker.js", "service_worker_push.js")))


class PushTests(TestCase):
    def setUp(self):
        self.user = make_reporter()
        self.client.force_login(self.user)

    def test_it_says_what_the_operator_must_set(self):
        with override_settings(VAPID_PRIVATE_KEY=""):
            self.assertContains(self.client.get(reverse("console:settings-contacts")), "VAPID_PRIVATE_KEY")

    def test_it_adds_this_browser(self):
        with mock.patch("console.views.push.methods.add_method") as add:
            response = self.client.post(reverse("console:push-add"), {"subscription": "{}", "label": "Firefox"})

        add.assert_called_once_with(self.user, "push", "{}", label="Firefox")
        self.assertEqual(response.json(), {"next": reverse("console:settings-contacts")})

    def test_it_says_why_not(self):
        with mock.patch.object(vapid, "why_unusable", return_value=""):
            response = self.client.post(reverse("console:push-add"), {"subscription": "{}"})

        self.assertEqual(response.status_code, 400)
        self.assertIn("sentence", response.json())
        self.assertFalse(ContactMethod.objects.exists())
