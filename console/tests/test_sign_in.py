import re
import time
from unittest import mock

from auditlog.models import LogEntry
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client, TestCase, override_settings
from django.urls import reverse

from users import mails
from users.models import BrowserSession, Role, User
from users.services import entering, second_factors
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder, make_user
from users.tests.test_second_factors import code_of, with_app

SIGN_IN = "/sign-in/"
CODE = "/sign-in/code/"
NEW_PASSWORD = "another horse entirely"
ELSEWHERE = (
    *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///evil.example"),
    *("/%09/evil.example", "https:evil.example", " //evil.example"),
)


def shown(text: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


class SignInTests(TestCase):
    def sign_in(self, user: User, password: str = PASSWORD, **more: str):
        return self.client.post(SIGN_IN, {"email": user.email, "password": password, **more})

    def test_it_leads_everybody_to_where_they_can_work(self) -> None:
        for role in Role:
            self.client = Client()
            with self.subTest(role=role):
                answer = self.sign_in(make_user(role=role))
                page = self.client.get(answer["Location"], follow=True)

                self.assertEqual(answer["Location"], "/incidents/" if role == Role.REPORTER else "/")
                self.assertEqual(page.status_code, 200)

    def test_it_leads_back_to_where_somebody_was(self) -> None:
        wanted = "/incidents/?status=open"
        asked = self.client.get(wanted)

        self.assertEqual(asked["Location"], "/sign-in/?next=%2Fincidents%2F%3Fstatus%3Dopen")
        self.assertContains(self.client.get(asked["Location"]), f'name="next" value="{wanted}"')
        self.assertRedirects(self.sign_in(make_reporter(), next=wanted), wanted, fetch_redirect_response=False)

    def test_it_leads_nowhere_else(self) -> None:
        user = make_responder()
        for wanted in ELSEWHERE:
            self.client = Client()
            with self.subTest(wanted):
                self.assertEqual(self.sign_in(user, next=wanted)["Location"], "/")
                self.assertEqual(self.client.get(SIGN_IN, {"next": wanted})["Location"], "/")

    def test_it_leads_reporters_to_no_page_of_others(self) -> None:
        for wanted in ("/", "/admin/", "/nothing-here/"):
            self.client = Client()
            with self.subTest(wanted):
                self.assertEqual(self.sign_in(make_reporter(), next=wanted)["Location"], "/incidents/")

    def test_it_answers_alike_whatever_was_wrong(self) -> None:
        user, gone = make_reporter(), make_reporter(is_active=False)
        answers = [
            self.client.post(SIGN_IN, {"email": email, "password": password})
            for email, password in ((user.email, "wrong"), ("nobody@example.com", PASSWORD), (gone.email, PASSWORD))
        ]

        texts = {
            shown(answer.content.decode()).replace(email, "")
            for answer, email in zip(answers, (user.email, "nobody@example.com", gone.email), strict=True)
        }
        self.assertEqual([answer.status_code for answer in answers], [401] * 3)
        self.assertEqual(len(texts), 1)

    @override_settings(AXES_FAILURE_LIMIT=2)
    def test_it_locks_with_a_page_that_says_so(self) -> None:
        user = make_reporter()
        statuses = [self.sign_in(user, "wrong").status_code for _time in range(2)]

        locked = self.sign_in(user)

        self.assertEqual(statuses, [401, 429])
        self.assertContains(locked, "Too many failed sign-ins", status_code=429)
        self.assertContains(locked, "<form", status_code=429)
        self.assertGreater(int(locked["Retry-After"]), 0)

    def test_it_opens_a_session_under_a_new_key(self) -> None:
        self.client.get(SIGN_IN)
        self.client.post("/sign-out/")
        session = self.client.session
        session["planted"] = "yes"
        session.save()
        before = session.session_key
        self.client.cookies[settings.SESSION_COOKIE_NAME] = before

        self.sign_in(make_reporter())

        self.assertNotEqual(self.client.session.session_key, before)

    def test_it_keeps_who_signed_in_and_where(self) -> None:
        user = make_reporter()
        self.client.post(SIGN_IN, {"email": user.email, "password": PASSWORD}, headers={"User-Agent": "Firefox"})

        row = BrowserSession.objects.get(user=user)
        entry = LogEntry.objects.filter(action=LogEntry.Action.ACCESS).latest("id")
        self.assertEqual((row.user_agent, row.session_key), ("Firefox", self.client.session.session_key))
        self.assertEqual(entry.additional_data, {"event": "signed_in", "path": SIGN_IN})
        user.refresh_from_db()
        self.assertIsNotNone(user.last_login)

    def test_it_takes_forms_of_its_own_only(self) -> None:
        for path in (SIGN_IN, CODE, "/sign-out/", "/register/", "/settings/", "/settings/security/password/"):
            with self.subTest(path):
                self.assertEqual(Client(enforce_csrf_checks=True).post(path).status_code, 403)

    def test_it_signs_out_by_a_button_alone(self) -> None:
        self.sign_in(make_reporter())

        by_link = self.client.get("/sign-out/")
        self.assertIn("_auth_user_id", self.client.session)
        by_button = self.client.post("/sign-out/", follow=True)

        self.assertEqual(by_link.status_code, 405)
        self.assertContains(by_button, "You are signed out.")
        self.assertNotIn("_auth_user_id", self.client.session)
        self.assertFalse(BrowserSession.objects.exists())

    def test_it_says_no_word_of_registering_where_it_is_closed(self) -> None:
        self.assertContains(self.client.get(SIGN_IN), "/register/")
        with override_settings(REGISTRATION_OPEN=False):
            self.assertNotContains(self.client.get(SIGN_IN), "/register/")

    def test_it_is_kept_by_no_cache_and_framed_by_nobody(self) -> None:
        answer = self.client.get(SIGN_IN)

        self.assertIn("no-store", answer["Cache-Control"])
        self.assertEqual(answer["X-Frame-Options"], "DENY")
        self.assertNotRegex(answer.content.decode(), r"<script(?![^>]*src=)|\son\w+=|\sstyle=")


class SecondFactorTests(TestCase):
    def setUp(self) -> None:
        self.user = make_responder()
        self.secret, self.codes = with_app(self.user)

    def begin(self, **more: str):
        return self.client.post(SIGN_IN, {"email": self.user.email, "password": PASSWORD, **more})

    def test_it_asks_for_the_code_before_anything_opens(self) -> None:
        answer = self.begin(next="/inbox/")

        self.assertRedirects(answer, CODE)
        self.assertNotIn("_auth_user_id", self.client.session)
        self.assertEqual(self.client.get("/inbox/").status_code, 302)
        self.assertEqual(self.client.get("/admin/").status_code, 302)

    def test_it_signs_in_with_the_code_and_leads_on(self) -> None:
        self.begin(next="/inbox/")
        before = self.client.session.session_key

        answer = self.client.post(CODE, {"code": code_of(self.secret)})

        self.assertRedirects(answer, "/inbox/")
        self.assertNotEqual(self.client.session.session_key, before)
        self.assertTrue(self.client.session[entering.CONFIRMED])

    def test_it_signs_in_with_a_recovery_code(self) -> None:
        self.begin()

        self.assertRedirects(self.client.post(CODE, {"code": self.codes[3]}), "/", fetch_redirect_response=False)
        self.assertEqual(second_factors.recovery_codes_left(self.user), 9)

    def test_it_takes_no_code_twice(self) -> None:
        code = code_of(self.secret)
        self.begin()
        self.client.post(CODE, {"code": code})
        self.client = Client()
        self.begin()

        again = self.client.post(CODE, {"code": code})

        self.assertContains(again, "was used already", status_code=401)
        self.assertNotIn("_auth_user_id", self.client.session)

    @override_settings(AXES_FAILURE_LIMIT=3)
    def test_it_counts_wrong_codes_towards_the_lock(self) -> None:
        self.begin()
        statuses = [self.client.post(CODE, {"code": "000000"}).status_code for _time in range(3)]

        right = self.client.post(CODE, {"code": code_of(self.secret)})

        self.assertEqual((statuses, right.status_code), ([401, 401, 429], 429))
        self.assertEqual(self.begin().status_code, 429)

    def test_it_waits_for_ten_minutes(self) -> None:
        self.begin()
        with mock.patch.object(entering.time, "time", return_value=time.time() + 601):
            answer = self.client.post(CODE, {"code": code_of(self.secret)})

        self.assertRedirects(answer, SIGN_IN)

    def test_it_asks_nobody_who_gave_no_password(self) -> None:
        self.assertRedirects(self.client.get(CODE), SIGN_IN)
        self.assertRedirects(self.client.post(CODE, {"code": code_of(self.secret)}), SIGN_IN)

    def test_it_forgets_a_password_that_changed_meanwhile(self) -> None:
        self.begin()
        self.user.set_password(NEW_PASSWORD)
        self.user.save()

        self.assertRedirects(self.client.post(CODE, {"code": code_of(self.secret)}), SIGN_IN)

    def test_it_asks_in_front_of_the_admin_too(self) -> None:
        self.user = make_admin()
        secret, _codes = with_app(self.user)
        asked = self.client.get("/admin/", follow=True)
        answer = self.client.post(SIGN_IN, {"email": self.user.email, "password": PASSWORD, "next": "/admin/"})

        self.assertEqual(asked.redirect_chain[-1][0], "/sign-in/?next=%2Fadmin%2F")
        self.assertRedirects(answer, CODE)
        self.assertEqual(self.client.get("/admin/").status_code, 302)
        self.assertRedirects(self.client.post(CODE, {"code": code_of(secret)}), "/admin/")


@override_settings(RATES_PER_ADDRESS={})
class RegistrationTests(TestCase):
    form = {"name": "Ann", "email": "ann@example.com", "password": NEW_PASSWORD}

    def test_it_makes_a_reporter(self) -> None:
        answer = self.client.post("/register/", self.form)

        mails.flush()
        user = User.objects.get(email="ann@example.com")
        self.assertEqual((answer.status_code, user.role, user.check_password(NEW_PASSWORD)), (200, "reporter", True))
        self.assertIn("Verify", mail.outbox[-1].subject)

    def test_it_answers_alike_for_an_address_that_is_taken(self) -> None:
        make_reporter(email="ann@example.com")

        taken = self.client.post("/register/", self.form)
        new = self.client.post("/register/", {**self.form, "email": "new@example.com"})

        mails.flush()
        self.assertEqual(taken.status_code, new.status_code)
        self.assertEqual(taken.content, new.content)
        self.assertEqual(
            {one.to[0]: one.subject for one in mail.outbox}["ann@example.com"], "You have an account already"
        )
        self.assertTrue(User.objects.get(email="ann@example.com").check_password(PASSWORD))

    def test_it_tells_nobody_who_was_deactivated(self) -> None:
        make_reporter(email="ann@example.com", is_active=False)

        self.client.post("/register/", self.form)

        mails.flush()
        self.assertEqual(mail.outbox, [])

    def test_it_says_what_is_wrong_beside_the_field(self) -> None:
        answer = self.client.post("/register/", {**self.form, "password": "short"})

        self.assertContains(answer, 'id="id_password_errors"', status_code=400)
        self.assertFalse(User.objects.exists())

    @override_settings(REGISTRATION_OPEN=False)
    def test_it_is_closed_where_the_operator_says_so(self) -> None:
        page, answer = self.client.get("/register/"), self.client.post("/register/", self.form)

        self.assertContains(page, "Registration is closed", status_code=403)
        self.assertNotContains(page, "<form", status_code=403)
        self.assertEqual((answer.status_code, User.objects.exists()), (403, False))

    @override_settings(RATES_PER_ADDRESS={"register": "1/hour"})
    def test_it_limits_how_often_one_client_registers(self) -> None:
        cache.clear()
        statuses = [self.client.post("/register/", {**self.form, "name": ""}).status_code for _time in range(2)]

        self.assertEqual(statuses, [400, 429])


class ResetTests(TestCase):
    @override_settings(RATES_PER_ADDRESS={})
    def test_it_leaves_the_second_factor_in_place(self) -> None:
        user = make_responder()
        with_app(user)
        self.client.post(reverse("forgotten-password"), {"email": user.email})
        mails.flush()
        link = re.search(r"(/reset-password/\S+)", str(mail.outbox[-1].body)).group(1)
        values = dict(
            re.findall(r'type="hidden" name="(uid|token)" value="([^"]*)"', self.client.get(link).content.decode())
        )

        self.client.post(reverse("reset-password"), {**values, "new_password": NEW_PASSWORD})
        answer = self.client.post(SIGN_IN, {"email": user.email, "password": NEW_PASSWORD})

        self.assertRedirects(answer, CODE)
