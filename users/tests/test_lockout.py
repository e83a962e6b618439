import datetime as dt

import time_machine
from axes.models import AccessFailureLog
from django.contrib.sessions.models import Session as CookieSession
from django.test import TestCase, override_settings
from django.utils import timezone

from tests.people import signed_in
from users.tests.factories import PASSWORD, make_admin, make_reporter

TOKEN = "/api/v1/auth/token/"


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

    def test_it_counts_a_network_of_ipv6_as_one_client(self) -> None:
        statuses = [self.sign_in(REMOTE_ADDR=f"2001:db8::{number}").status_code for number in range(1, 5)]

        self.assertEqual(statuses, [401, 401, 429, 429])
        self.assertEqual(self.sign_in(PASSWORD, REMOTE_ADDR="2001:db8:0:1::1").status_code, 200)
        self.assertEqual(AccessFailureLog.objects.order_by("pk").first().ip_address, "2001:db8::1")

    def test_it_counts_an_ipv4_address_alike_however_it_is_written(self) -> None:
        for address in ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"):
            self.sign_in(REMOTE_ADDR=address)

        self.assertEqual(self.sign_in(PASSWORD, REMOTE_ADDR="192.0.2.7").status_code, 429)

    @override_settings(LOGIN_CLIENT_FAILURE_LIMIT=5)
    def test_it_locks_a_client_that_tries_many_addresses(self) -> None:
        statuses = [self.sign_in(email=f"p{number}@example.com").status_code for number in range(6)]
        answer = self.sign_in(PASSWORD)

        self.assertEqual(statuses, [401, 401, 401, 401, 429, 429])
        self.assertEqual(answer.status_code, 429)
        self.assertTrue(890 <= int(answer["Retry-After"]) <= 900, answer["Retry-After"])
        self.assertEqual(self.sign_in(PASSWORD, REMOTE_ADDR="192.0.2.9").status_code, 200)

    @override_settings(LOGIN_CLIENT_FAILURE_LIMIT=5)
    def test_it_lets_those_in_who_were_there_before(self) -> None:
        self.sign_in(PASSWORD, REMOTE_ADDR="2001:db8::1")
        for number in range(5):
            self.sign_in(email=f"p{number}@example.com", REMOTE_ADDR="2001:db8::2")

        self.assertEqual(self.sign_in(PASSWORD, REMOTE_ADDR="2001:db8::3").status_code, 200)
        self.assertEqual(self.sign_in(email="p9@example.com", REMOTE_ADDR="2001:db8::3").status_code, 429)
        guesses = [self.sign_in(REMOTE_ADDR="2001:db8::4").status_code for _time in range(3)]
        self.assertEqual(guesses, [401, 401, 429])

    @override_settings(LOGIN_CLIENT_FAILURE_LIMIT=5)
    def test_it_forgives_a_client_nothing_for_signing_in_to_its_own_account(self) -> None:
        for number in range(4):
            self.sign_in(email=f"p{number}@example.com")
        own = self.sign_in(PASSWORD).status_code

        self.assertEqual(own, 200)
        self.assertEqual(self.sign_in(email="p4@example.com").status_code, 429)

    @override_settings(LOGIN_CLIENT_FAILURE_LIMIT=3)
    def test_it_says_when_a_client_may_try_again(self) -> None:
        start = timezone.now()
        for minute in range(3):
            with time_machine.travel(start + dt.timedelta(minutes=minute), tick=False):
                self.sign_in(email=f"p{minute}@example.com")
        with time_machine.travel(start + dt.timedelta(minutes=5), tick=False):
            answer = self.sign_in(PASSWORD)
        with time_machine.travel(start + dt.timedelta(minutes=15, seconds=1), tick=False):
            later = self.sign_in(PASSWORD)

        self.assertEqual((answer.status_code, answer["Retry-After"]), (429, "600"))
        self.assertEqual(later.status_code, 200)

    def test_it_counts_those_apart_whom_a_collation_calls_equal(self) -> None:
        for _time in range(2):
            self.sign_in()
        self.sign_in(email="alïce@example.com")

        self.assertEqual(self.sign_in(PASSWORD).status_code, 200)

    def test_it_counts_guesses_of_the_present_password(self) -> None:
        client = signed_in(self.user)
        form = {"current_password": "wrong", "new_password": "another fine secret"}

        statuses = [client.post("/api/v1/auth/password/", form).status_code for _time in range(3)]
        answer = client.post("/api/v1/auth/password/", {**form, "current_password": PASSWORD})

        self.assertEqual(statuses, [400, 400, 429])
        self.assertEqual((answer.status_code, answer.json()["code"]), (429, "too_many_requests"))
        self.assertTrue(answer["Retry-After"].isdigit())
        self.assertEqual(self.sign_in(PASSWORD).status_code, 429)

    def test_it_counts_guesses_on_the_settings_page(self) -> None:
        admin = make_admin()
        self.client.force_login(admin)
        new = "another fine secret"
        form = {"current": "wrong", "new_password": new}

        statuses = [self.client.post("/settings/security/password/", form).status_code for _time in range(3)]
        answer = self.client.post("/settings/security/password/", {**form, "current": PASSWORD})

        self.assertEqual((statuses, answer.status_code), ([400, 400, 429], 429))
        admin.refresh_from_db()
        self.assertTrue(admin.check_password(PASSWORD))

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

    def test_it_locks_the_pages_too(self) -> None:
        admin = make_admin()
        form = {"email": admin.email.upper(), "password": "wrong"}

        for _time in range(3):
            answer = self.client.post("/sign-in/", form)

        self.assertEqual(answer.status_code, 429)
        self.assertTrue(answer["Retry-After"].isdigit())
        self.assertEqual(self.sign_in(PASSWORD, email=admin.email).status_code, 429)
