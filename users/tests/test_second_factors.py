import datetime as dt

import time_machine
from auditlog.models import LogEntry
from axes.models import AccessAttempt
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.test import TestCase, override_settings
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.errors import Conflict, DomainError, PermissionRefused
from tests.people import signed_in
from users import mails, totp
from users.models import AuthenticatorApp, RecoveryCode, Session, User
from users.sealing import unseal
from users.services import reset_password, second_factors
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder

TOKEN = "/api/v1/auth/token/"


def code_of(secret: str, steps: int = 0) -> str:
    """The app's code now, or so many steps later."""
    return totp.code_at(secret, totp.step_at(timezone.now().timestamp()) + steps)


def with_app(user: User) -> tuple[str, list[str]]:
    """The secret of the person's new app, whose code of the step before was used, and the recovery codes."""
    secret = totp.new_secret()
    return secret, second_factors.set_up_app(user, secret=secret, code=code_of(secret, -1))


class SettingUpTests(TestCase):
    def setUp(self) -> None:
        self.user = make_responder()

    def test_it_keeps_secret_and_codes_unreadable(self) -> None:
        secret, codes = with_app(self.user)

        stored = AuthenticatorApp.objects.get(user=self.user).secret
        digests = RecoveryCode.objects.values_list("digest", flat=True)
        self.assertNotIn(secret, stored)
        self.assertEqual(unseal(stored), secret)
        self.assertEqual((len(set(codes)), set(codes) & set(digests)), (10, set()))

    def test_it_refuses_an_app_that_shows_other_codes(self) -> None:
        with self.assertRaises(DomainError):
            second_factors.set_up_app(self.user, secret=totp.new_secret(), code="000000")

        self.assertFalse(second_factors.is_set(self.user))

    def test_it_sets_up_one_app_at_a_time(self) -> None:
        with_app(self.user)

        with self.assertRaises(Conflict):
            with_app(self.user)

    def test_it_voids_old_recovery_codes_with_new_ones(self) -> None:
        _secret, old = with_app(self.user)
        new = second_factors.renew_recovery_codes(self.user)

        self.assertFalse(second_factors.use_code(self.user, old[0]))
        self.assertTrue(second_factors.use_code(self.user, new[0]))


class ApiTests(TestCase):
    def setUp(self) -> None:
        self.user = make_responder()
        self.secret, self.codes = with_app(self.user)

    def sign_in(self, otp: str | None = None, password: str = PASSWORD):
        form = {"email": self.user.email, "password": password} | ({} if otp is None else {"otp": otp})
        return self.client.post(TOKEN, form, content_type="application/json")

    def test_it_asks_for_the_second_factor(self) -> None:
        for otp in (None, "", " "):
            with self.subTest(otp):
                answer = self.sign_in(otp)

                self.assertEqual((answer.status_code, answer.json()["code"]), (401, "otp_required"))
        self.assertFalse(Session.objects.exists())

    def test_it_says_nothing_of_it_to_a_wrong_password(self) -> None:
        answer = self.sign_in(code_of(self.secret), password="wrong")

        self.assertEqual((answer.status_code, answer.json()["code"]), (401, "invalid_credentials"))

    def test_it_takes_a_code_once(self) -> None:
        code = code_of(self.secret)

        answers = [self.sign_in(f"{code[:3]} {code[3:]}"), self.sign_in(code)]

        self.assertEqual([answer.status_code for answer in answers], [200, 401])
        self.assertEqual(answers[1].json()["code"], "otp_invalid")
        self.assertTrue(Session.objects.get().is_confirmed)

    def test_it_takes_no_earlier_code_after_a_later_one(self) -> None:
        self.assertEqual(self.sign_in(code_of(self.secret, 1)).status_code, 200)
        self.assertEqual(self.sign_in(code_of(self.secret)).status_code, 401)

    def test_it_takes_each_recovery_code_once(self) -> None:
        statuses = [self.sign_in(code).status_code for code in (self.codes[0].upper(), self.codes[0], self.codes[1])]

        self.assertEqual(statuses, [200, 401, 200])
        self.assertEqual(second_factors.recovery_codes_left(self.user), 8)

    def test_it_takes_no_code_of_somebody_else(self) -> None:
        other = make_responder()
        _secret, codes = with_app(other)

        self.assertEqual(self.sign_in(codes[0]).status_code, 401)

    @override_settings(AXES_FAILURE_LIMIT=3)
    def test_it_counts_wrong_codes_towards_the_lock(self) -> None:
        statuses = [self.sign_in("000000").status_code for _time in range(3)]

        locked = self.sign_in(code_of(self.secret))
        self.assertEqual(statuses, [401, 401, 429])
        self.assertEqual((locked.status_code, locked.json()["code"]), (429, "too_many_requests"))
        self.assertGreater(int(locked["Retry-After"]), 0)
        self.assertNotIn("000000", AccessAttempt.objects.get().post_data)

    @override_settings(AXES_FAILURE_LIMIT=3)
    def test_it_forgets_no_wrong_code_for_a_right_password(self) -> None:
        for otp in ("000000", None, "000000", None):
            self.sign_in(otp)

        self.assertEqual(self.sign_in("000000").status_code, 429)

    def test_it_limits_wrong_codes_from_many_clients(self) -> None:
        with time_machine.travel(timezone.now(), tick=False):
            for number in range(second_factors.MOST_WRONG):
                form = {"email": self.user.email, "password": PASSWORD, "otp": "000000"}
                self.client.post(TOKEN, form, content_type="application/json", REMOTE_ADDR=f"192.0.2.{number}")

            locked = self.sign_in(code_of(self.secret))
            recovered = self.sign_in(self.codes[0])
        with time_machine.travel(timezone.now() + dt.timedelta(minutes=16), tick=False):
            later = self.sign_in(code_of(self.secret))

        self.assertEqual([answer.status_code for answer in (locked, recovered, later)], [429, 200, 200])

    def test_it_asks_nobody_else(self) -> None:
        self.user = make_responder()

        self.assertEqual(self.sign_in().status_code, 200)
        self.assertEqual(self.sign_in("ignored").status_code, 200)
        self.assertFalse(Session.objects.filter(is_confirmed=True).exists())

    def test_it_makes_personal_tokens_in_confirmed_sessions_only(self) -> None:
        form = {"name": "script"}
        statuses = {}
        for is_confirmed in (False, True):
            client = signed_in(self.user)
            Session.objects.filter(user=self.user).update(is_confirmed=is_confirmed)
            statuses[is_confirmed] = client.post("/api/v1/me/tokens/", form)

        self.assertEqual(statuses[True].status_code, 201)
        self.assertEqual((statuses[False].status_code, statuses[False].json()["code"]), (403, "second_factor_required"))

    def test_it_changes_the_password_in_confirmed_sessions_only(self) -> None:
        client = signed_in(self.user)
        form = {"current_password": PASSWORD, "new_password": "another horse entirely"}

        refused = client.post("/api/v1/auth/password/", form)
        Session.objects.update(is_confirmed=True)
        changed = client.post("/api/v1/auth/password/", form)

        self.assertEqual((refused.status_code, changed.status_code), (403, 200))
        self.assertTrue(Session.objects.get(revoked_at__isnull=True).is_confirmed)

    def test_it_ends_with_a_reset_that_proves_the_address_of_a_reporter(self) -> None:
        for verified_at, is_kept in ((None, False), (timezone.now(), True)):
            with self.subTest(verified_at=verified_at):
                reporter = make_reporter(email_verified_at=verified_at)
                with_app(reporter)
                uid, token = (
                    urlsafe_base64_encode(force_bytes(reporter.pk)),
                    default_token_generator.make_token(reporter),
                )

                reset_password(uid=uid, token=token, new="a much better password 7")

                self.assertEqual(second_factors.is_set(reporter), is_kept)

    def test_it_asks_after_a_reset_too(self) -> None:
        self.user.set_password("another horse entirely")
        self.user.save()

        self.assertEqual(self.sign_in(password="another horse entirely").json()["code"], "otp_required")


class RemovingTests(TestCase):
    def setUp(self) -> None:
        self.user = make_responder(email_verified_at=timezone.now())
        with_app(self.user)

    def test_it_lets_administrators_remove_what_somebody_lost(self) -> None:
        admin = make_admin()

        with self.captureOnCommitCallbacks(execute=True):
            second_factors.remove_factors(self.user, by=admin)

        mails.flush()
        self.assertFalse(second_factors.is_set(self.user))
        self.assertFalse(RecoveryCode.objects.exists())
        self.assertEqual(mail.outbox[-1].to, [self.user.email])
        self.assertEqual(noted(self.user), ["second_factor_set", "second_factor_removed"])

    def test_it_refuses_everybody_else(self) -> None:
        with self.assertRaises(PermissionRefused):
            second_factors.remove_factors(self.user, by=make_responder())

        self.assertTrue(second_factors.is_set(self.user))

    def test_it_says_that_there_is_none(self) -> None:
        with self.assertRaises(Conflict):
            second_factors.remove_factors(make_responder(), by=make_admin())


def noted(user: User) -> list[str]:
    entries = LogEntry.objects.filter(object_pk=str(user.pk), action=LogEntry.Action.ACCESS).order_by("id")
    return [entry.additional_data["event"] for entry in entries]
