import datetime as dt
from unittest import mock

import time_machine
from auditlog.models import LogEntry
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.test import RequestFactory, TestCase, override_settings
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.errors import DomainError, PermissionRefused
from users import mails, services, tokens
from users.models import Role, Session, User
from users.passwords import WeakPassword
from users.services.sessions import pair_of
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder

NEW_PASSWORD = "another horse entirely"


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


class SignInTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter(email="alice@example.com")
        self.request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="curl")

    def test_it_opens_a_session(self) -> None:
        pair = services.sign_in(self.request, email="Alice@example.com", password=PASSWORD)

        session = Session.objects.get(user=self.user)
        self.assertEqual((session.ip_address, session.user_agent), ("192.0.2.7", "curl"))
        self.assertEqual(pair.refresh, tokens.refresh_token(session))
        self.user.refresh_from_db()
        self.assertIsNotNone(self.user.last_login)

    def test_it_opens_none_with_a_password_that_was_replaced_meanwhile(self) -> None:
        def replacing(*args: object, **credentials: object) -> User:
            user = User.objects.get(pk=self.user.pk)
            services.change_password(self.user, current=PASSWORD, new=NEW_PASSWORD)
            return user

        with (
            mock.patch("users.services.sessions.authenticate", replacing),
            self.assertRaises(services.CredentialsRefused),
        ):
            services.sign_in(self.request, email="alice@example.com", password=PASSWORD)

        self.assertEqual(Session.objects.filter(user=self.user).count(), 1)

    def test_it_is_audited(self) -> None:
        services.sign_in(self.request, email="alice@example.com", password=PASSWORD)

        entry = LogEntry.objects.get(action=LogEntry.Action.ACCESS)
        self.assertEqual((entry.object_id, entry.actor), (self.user.pk, self.user))
        self.assertEqual(entry.additional_data["event"], "signed_in")

    def test_it_says_the_same_of_a_wrong_password_an_unknown_address_and_an_inactive_account(self) -> None:
        make_reporter(email="gone@example.com", is_active=False)
        messages = set()
        for email, password in (
            ("alice@example.com", "wrong"),
            ("nobody@example.com", PASSWORD),
            ("gone@example.com", PASSWORD),
        ):
            with self.assertRaises(services.CredentialsRefused) as caught:
                services.sign_in(self.request, email=email, password=password)
            messages.add(caught.exception.message)

        self.assertEqual(len(messages), 1)
        self.assertFalse(Session.objects.exists())


class RefreshTests(TestCase):
    def setUp(self) -> None:
        self.session = services.open_session(make_reporter())
        self.first = tokens.refresh_token(self.session)

    def assert_ended(self, token: str) -> None:
        with self.assertRaises(services.TokenRefused):
            services.refresh(token)

    def test_it_rotates(self) -> None:
        pair = services.refresh(self.first)

        self.assertNotEqual(pair.refresh, self.first)
        self.session.refresh_from_db()
        self.assertEqual(pair.refresh, tokens.refresh_token(self.session))

    def test_it_lengthens_the_session(self) -> None:
        later = timezone.now() + dt.timedelta(days=13)
        with time_machine.travel(later, tick=False):
            services.refresh(self.first)

        self.session.refresh_from_db()
        self.assertEqual(self.session.expires_at, later + dt.timedelta(days=14))

    def test_it_gives_the_missed_pair_again_within_ten_seconds(self) -> None:
        pair = services.refresh(self.first)

        with time_machine.travel(timezone.now() + seconds(9), tick=False):
            again = services.refresh(self.first)

        self.assertEqual(again.refresh, pair.refresh)

    def test_it_ends_the_session_when_a_spent_token_comes_later(self) -> None:
        pair = services.refresh(self.first)

        with time_machine.travel(timezone.now() + seconds(11), tick=False):
            self.assert_ended(self.first)
            self.assert_ended(pair.refresh)

        self.session.refresh_from_db()
        self.assertEqual(self.session.revoked_reason, "reuse")
        self.assertEqual(LogEntry.objects.filter(additional_data__event="session_revoked").count(), 1)

    def test_it_ends_the_session_when_a_token_two_rotations_old_comes_even_at_once(self) -> None:
        newest = services.refresh(services.refresh(self.first).refresh)

        self.assert_ended(self.first)

        self.assert_ended(newest.refresh)

    def test_it_refuses_what_is_no_refresh_token(self) -> None:
        for token in ("", "nonsense", tokens.access_token(self.session), self.first[:-3]):
            with self.subTest(token=token):
                self.assert_ended(token)
        self.session.refresh_from_db()
        self.assertIsNone(self.session.revoked_at)

    def test_it_refuses_after_two_weeks_without_use(self) -> None:
        with time_machine.travel(timezone.now() + dt.timedelta(days=14), tick=False):
            self.assert_ended(self.first)

    def test_it_refuses_a_session_that_ended_and_a_user_who_is_not_active(self) -> None:
        services.end_sessions(self.session.user, reason="test")
        self.assert_ended(self.first)

        other = services.open_session(make_reporter(is_active=False))
        self.assert_ended(tokens.refresh_token(other))


class SignOutTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter()
        self.session, self.other = services.open_session(self.user), services.open_session(self.user)

    def open_sessions(self) -> set[Session]:
        return set(Session.objects.filter(revoked_at__isnull=True))

    def test_it_ends_the_session_it_came_with(self) -> None:
        services.sign_out(self.user, session=self.session)

        self.assertEqual(self.open_sessions(), {self.other})

    def test_it_ends_the_session_of_a_refresh_token(self) -> None:
        services.sign_out(self.user, token=tokens.refresh_token(self.other))

        self.assertEqual(self.open_sessions(), {self.session})

    def test_it_does_not_end_somebody_elses(self) -> None:
        services.sign_out(make_reporter(), token=tokens.refresh_token(self.other))

        self.assertEqual(self.open_sessions(), {self.session, self.other})


class RegisterTests(TestCase):
    def register(self, **form: str) -> User:
        user = services.register(**{"email": "New@Example.com", "password": NEW_PASSWORD, "name": "New", **form})
        mails.flush()
        return user

    def test_it_makes_a_reporter(self) -> None:
        user = self.register()

        self.assertEqual((user.email, user.role, user.email_verified_at), ("new@example.com", Role.REPORTER, None))
        self.assertTrue(user.check_password(NEW_PASSWORD))

    @override_settings(PUBLIC_URL="https://incidents.example.org/")
    def test_it_mails_a_link_that_confirms_the_address(self) -> None:
        user = self.register()

        (message,) = mail.outbox
        token = services.verification_token(user)
        self.assertEqual(message.to, ["new@example.com"])
        self.assertIn("https://incidents.example.org/verify-email/?token=", message.body)
        self.assertIsNotNone(services.verify_email(token).email_verified_at)

    def test_it_refuses_a_taken_address(self) -> None:
        self.register()

        with self.assertRaises(services.AddressTaken):
            self.register(email="new@EXAMPLE.com")

    def test_it_refuses_a_weak_password(self) -> None:
        for password in ("short", "password123", "new@example.com", "1234567890"):
            with self.subTest(password=password), self.assertRaises(WeakPassword):
                self.register(password=password)
        self.assertFalse(User.objects.exists())

    @override_settings(REGISTRATION_OPEN=False)
    def test_it_can_be_closed(self) -> None:
        with self.assertRaises(services.RegistrationClosed):
            self.register()

    def test_it_survives_a_mail_server_that_is_down(self) -> None:
        with mock.patch("django.core.mail.EmailMessage.send", side_effect=ConnectionRefusedError):
            user = self.register()

        self.assertTrue(User.objects.filter(pk=user.pk).exists())


class VerifyEmailTests(TestCase):
    def test_it_refuses_other_tokens(self) -> None:
        user = make_reporter()
        token = services.verification_token(user)
        user.email = "other@example.com"
        user.save(update_fields=["email"])

        for bad in (token, token + "x", "nonsense", services.verification_token(make_reporter())[:-4]):
            with self.subTest(token=bad), self.assertRaises(DomainError):
                services.verify_email(bad)

    def test_it_refuses_after_three_days(self) -> None:
        token = services.verification_token(make_reporter())

        with time_machine.travel(timezone.now() + dt.timedelta(days=4)), self.assertRaises(DomainError):
            services.verify_email(token)


class ChangePasswordTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter()
        self.session, self.other = services.open_session(self.user), services.open_session(self.user)

    def change(self, **options: object) -> services.TokenPair:
        return services.change_password(
            self.user, **{"current": PASSWORD, "new": NEW_PASSWORD, "session": self.session, **options}
        )

    def test_it_ends_the_other_sessions_and_renews_this_one(self) -> None:
        pair = self.change()

        self.session.refresh_from_db()
        self.other.refresh_from_db()
        self.assertIsNone(self.session.revoked_at)
        self.assertEqual(self.other.revoked_reason, "password_changed")
        self.assertEqual(pair.refresh, pair_of(self.session).refresh)
        self.user.refresh_from_db()
        self.assertTrue(self.user.check_password(NEW_PASSWORD))

    def test_it_opens_a_session_where_there_was_none(self) -> None:
        pair = self.change(session=None)

        self.assertEqual(Session.objects.filter(revoked_at__isnull=True).count(), 1)
        services.refresh(pair.refresh)

    def test_it_refuses_a_password_that_was_replaced_meanwhile(self) -> None:
        thief = User.objects.get(pk=self.user.pk)
        self.change()

        with self.assertRaises(DomainError):
            services.change_password(thief, current=PASSWORD, new="a third horse, stolen", session=self.other)

        self.user.refresh_from_db()
        self.assertTrue(self.user.check_password(NEW_PASSWORD))
        self.assertEqual(Session.objects.filter(revoked_at__isnull=True).count(), 1)

    def test_it_leaves_an_audit_entry_without_the_password(self) -> None:
        self.change()

        entry = LogEntry.objects.get(additional_data__event="password_changed")
        self.assertEqual(entry.actor, self.user)
        self.assertFalse(any("password" in (entry.changes or {}) for entry in LogEntry.objects.all()))

    def test_it_refuses_a_wrong_or_weak_password_and_changes_nothing(self) -> None:
        with self.assertRaises(DomainError):
            self.change(current="wrong")
        with self.assertRaises(WeakPassword):
            self.change(new="short")

        self.assertEqual(Session.objects.filter(revoked_at__isnull=True).count(), 2)


class ResetPasswordTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter(email="alice@example.com")
        self.uid = urlsafe_base64_encode(force_bytes(self.user.pk))
        self.token = default_token_generator.make_token(self.user)

    def test_it_mails_a_link_that_works(self) -> None:
        services.request_password_reset(email="ALICE@example.com")
        mails.flush()

        (message,) = mail.outbox
        self.assertIn(f"/reset-password/?uid={self.uid}&token={self.token}", message.body)

    def test_it_mails_nobody_who_is_unknown_or_not_active(self) -> None:
        make_reporter(email="gone@example.com", is_active=False)

        for email in ("nobody@example.com", "gone@example.com"):
            services.request_password_reset(email=email)
        mails.flush()

        self.assertEqual(mail.outbox, [])

    def test_it_costs_the_same_queries_for_anybody(self) -> None:
        for email in ("alice@example.com", "nobody@example.com"):
            with self.assertNumQueries(1):
                services.request_password_reset(email=email)
        mails.flush()

    def test_it_sets_the_password_once_and_ends_all_sessions(self) -> None:
        session = services.open_session(self.user)

        services.reset_password(uid=self.uid, token=self.token, new=NEW_PASSWORD)

        self.user.refresh_from_db()
        session.refresh_from_db()
        self.assertTrue(self.user.check_password(NEW_PASSWORD))
        self.assertIsNotNone(self.user.email_verified_at)
        self.assertIsNotNone(session.revoked_at)
        with self.assertRaises(DomainError):
            services.reset_password(uid=self.uid, token=self.token, new="yet another horse")

    def test_it_refuses_what_the_mail_did_not_say(self) -> None:
        other = urlsafe_base64_encode(force_bytes(make_reporter().pk))
        huge = urlsafe_base64_encode(b"9" * 40)
        for uid, token in ((self.uid, "x-y"), (other, self.token), ("!", self.token), (huge, self.token), ("", "")):
            with self.subTest(uid=uid), self.assertRaises(DomainError):
                services.reset_password(uid=uid, token=token, new=NEW_PASSWORD)

    def test_it_refuses_after_an_hour(self) -> None:
        with time_machine.travel(timezone.now() + dt.timedelta(hours=2)), self.assertRaises(DomainError):
            services.reset_password(uid=self.uid, token=self.token, new=NEW_PASSWORD)


class AccessTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.user = make_admin(), make_reporter()

    def test_it_sets_a_role_and_says_who_did(self) -> None:
        user = services.set_access(self.user, role=Role.RESPONDER, by=self.admin)

        entry = LogEntry.objects.get_for_object(user).filter(action=LogEntry.Action.UPDATE).get()
        self.assertEqual(user.role, Role.RESPONDER)
        self.assertEqual((entry.actor, entry.changes["role"]), (self.admin, ["reporter", "responder"]))

    def test_it_leaves_no_entry_when_nothing_changes(self) -> None:
        services.set_access(self.user, by=self.admin, role=Role.REPORTER, is_active=True)

        self.assertFalse(LogEntry.objects.filter(action=LogEntry.Action.UPDATE).exists())

    def test_it_ends_the_sessions_of_who_is_deactivated(self) -> None:
        session = services.open_session(self.user)

        services.set_access(self.user, is_active=False, by=self.admin)

        session.refresh_from_db()
        self.assertEqual(session.revoked_reason, "deactivated")

    def test_it_lets_nobody_else_set_roles_not_even_their_own(self) -> None:
        demoted = make_admin()
        User.objects.filter(pk=demoted.pk).update(role=Role.RESPONDER)
        for by in (self.user, make_responder(), make_admin(is_active=False), demoted):
            with self.subTest(by=by), self.assertRaises(PermissionRefused):
                services.set_access(by, role=Role.ADMIN, by=by)

    def test_it_keeps_the_last_active_admin(self) -> None:
        make_admin(is_active=False)
        for change in ({"role": Role.RESPONDER}, {"is_active": False}, {"role": Role.REPORTER, "is_active": False}):
            with self.subTest(change=change), self.assertRaises(services.LastAdmin):
                services.set_access(self.admin, by=self.admin, **change)

        self.admin.refresh_from_db()
        self.assertTrue(self.admin.is_superuser)

    def test_it_lets_an_admin_go_when_another_stays(self) -> None:
        other = make_admin()

        services.set_access(self.admin, role=Role.REPORTER, by=self.admin)

        self.assertEqual(list(User.objects.admins()), [other])
