import datetime as dt

import time_machine
from axes.models import AccessFailureLog
from django.contrib.sessions.models import Session as CookieSession
from django.test import TestCase, override_settings
from django.utils import timezone

from users.tests.factories import PASSWORD, make_admin, make_reporter

TOKEN = "/api/v1/auth/token/"
# The login page needs style sheets, but nobody has collected them.
PLAIN_FILES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@override_settings(AXES_FAILURE_LIMIT=3)
class LockoutTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter(email="alice@example.com")

    def sign_in(self, password="wrong", email="alice@example.com", **options):
        form = {"email": email, "password": password}
        return self.client.post(TOKEN, form, content_type="application/json", **options)

    def test_it_locks_with_a_problem_that_says_how_long(self) -> None:
        statuses = [self.sign_in().status_code for _time in range(3)]

        answer = self.sign_in(PASSWORD)

        self.assertEqual(statuses, [401, 401, 429])
        self.assertEqual((answer.status_code, answer["Content-Type"]), (429, "application/problem+json"))
        self.assertEqual((answer.json()["code"], answer.json()["status"]), ("too_many_requests", 429))
        self.assertTrue(890 <= int(answer["Retry-After"]) <= 900, answer["Retry-After"])

    def test_it_counts_an_address_however_it_is_written(self) -> None:
        for email in ("alice@example.com", "ALICE@example.com", " Alice@Example.com"):
            self.sign_in(email=email)

        self.assertEqual(self.sign_in(PASSWORD).status_code, 429)

    def test_it_locks_unknown_addresses_alike(self) -> None:
        statuses = [self.sign_in(email="nobody@example.com").status_code for _time in range(4)]

        self.assertEqual(statuses, [401, 401, 429, 429])

    def test_it_does_not_lock_others_or_other_clients(self) -> None:
        other = make_reporter()
        for _time in range(3):
            self.sign_in()

        self.assertEqual(self.sign_in(PASSWORD, email=other.email).status_code, 200)
        self.assertEqual(self.sign_in(PASSWORD, REMOTE_ADDR="192.0.2.9").status_code, 200)

    @override_settings(TRUSTED_PROXIES=0)
    def test_it_is_not_fooled_by_a_claimed_address(self) -> None:
        for number in range(3):
            self.sign_in(headers={"X-Forwarded-For": f"6.6.6.{number}"})

        self.assertEqual(self.sign_in(PASSWORD, headers={"X-Forwarded-For": "6.6.6.6"}).status_code, 429)

    def test_it_opens_again_after_the_time_it_said_though_people_keep_trying(self) -> None:
        start = timezone.now()
        with time_machine.travel(start, tick=False):
            for _time in range(3):
                self.sign_in()
        with time_machine.travel(start + dt.timedelta(minutes=14), tick=False):
            answer = self.sign_in(PASSWORD)
            self.assertEqual((answer.status_code, answer["Retry-After"]), (429, "60"))
        with time_machine.travel(start + dt.timedelta(minutes=15, seconds=1), tick=False):
            self.assertEqual(self.sign_in(PASSWORD).status_code, 200)

    def test_it_forgets_failures_after_a_success(self) -> None:
        for password in ("wrong", "wrong", PASSWORD, "wrong", "wrong"):
            status = self.sign_in(password).status_code

        self.assertEqual(status, 401)

    def test_it_keeps_failures_and_opens_no_cookie_session(self) -> None:
        self.sign_in()
        answer = self.sign_in(PASSWORD)

        self.assertEqual(AccessFailureLog.objects.get().username, "alice@example.com")
        self.assertFalse(CookieSession.objects.exists())
        self.assertFalse(answer.cookies)

    @override_settings(STORAGES=PLAIN_FILES)
    def test_it_locks_the_admin_site_too(self) -> None:
        admin = make_admin()
        form = {"username": admin.email.upper(), "password": "wrong"}

        for _time in range(3):
            answer = self.client.post("/admin/login/", form)

        self.assertEqual(answer.status_code, 429)
        self.assertTrue(answer["Retry-After"].isdigit())
        self.assertEqual(self.sign_in(PASSWORD, email=admin.email).status_code, 429)
