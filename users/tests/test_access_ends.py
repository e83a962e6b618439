"""What was given before ends with a new password, the account, or the role, and does not come back."""

from typing import Any

from auditlog.models import LogEntry
from django.contrib.auth.tokens import default_token_generator
from django.test import Client, TestCase, override_settings
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from core.errors import PermissionRefused
from users import services, tokens
from users.models import PersonalToken, Role, Session, User
from users.services.administration import set_password
from users.services.sessions import pair_of
from users.tests.factories import PASSWORD, make_admin, make_responder

API = "/api/v1/"
NEW_PASSWORD = "another horse entirely"


class Held:
    """A session, a personal token, and a cookie of the admin site."""

    def __init__(self, user: User) -> None:
        self.session = services.open_session(user)
        self.refresh = tokens.refresh_token(self.session)
        _row, self.token = services.create_personal_token(user, name="script")
        self.browser = Client()
        self.browser.force_login(user)

    def statuses(self) -> dict[str, int]:
        """What each of them is good for."""
        me = APIClient()
        access = me.get(f"{API}auth/me/", headers={"Authorization": f"Bearer {tokens.access_token(self.session)}"})
        token = me.get(f"{API}auth/me/", headers={"Authorization": f"Token {self.token}"})
        refreshed = me.post(f"{API}auth/token/refresh/", {"refresh": self.refresh})
        page = self.browser.get("/admin/")
        return {
            "access": access.status_code,
            "token": token.status_code,
            "refresh": refreshed.status_code,
            "cookie": page.status_code,
        }


ENDED = {"access": 401, "token": 401, "refresh": 401, "cookie": 302}


@override_settings(RATES_PER_ADDRESS={})
class EndOfAccessTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.user = make_responder(email="ben@example.com")
        self.held = Held(self.user)

    def fresh(self) -> User:
        user: User = User.objects.get(pk=self.user.pk)
        return user

    def test_it_is_good_before(self) -> None:
        self.assertEqual(self.held.statuses(), {"access": 200, "token": 200, "refresh": 200, "cookie": 200})

    def test_it_stays_ended_after_a_reactivation(self) -> None:
        services.set_access(self.user, by=self.admin, is_active=False)
        services.set_access(self.user, by=self.admin, is_active=True)

        self.assertEqual(self.held.statuses(), ENDED)
        self.assertEqual(Held(self.fresh()).statuses()["cookie"], 200)

    def test_it_stays_ended_when_a_lowered_role_returns(self) -> None:
        services.set_access(self.user, by=self.admin, role=Role.REPORTER)
        services.set_access(self.user, by=self.admin, role=Role.RESPONDER)

        self.assertEqual(self.held.statuses(), ENDED)

    def test_it_goes_on_with_a_higher_role(self) -> None:
        services.set_access(self.user, by=self.admin, role=Role.ADMIN)

        self.assertEqual(self.held.statuses()["access"], 200)

    def test_it_ends_by_the_admins_page_too(self) -> None:
        browser = Client()
        browser.force_login(self.admin)
        form = {"email": "ben@example.com", "name": "Ben", "role": "responder", "time_zone": "UTC"}
        url = f"/admin/users/user/{self.user.pk}/change/"

        browser.post(url, form)
        browser.post(url, {**form, "is_active": "on"})

        self.assertTrue(self.fresh().is_active)
        self.assertEqual(self.held.statuses(), ENDED)

    def test_it_ends_with_a_new_password(self) -> None:
        services.change_password(self.user, current=PASSWORD, new=NEW_PASSWORD)

        self.assertEqual(self.held.statuses(), ENDED)
        entry = LogEntry.objects.filter(additional_data__event="token_deleted").get()
        self.assertEqual(entry.additional_data["reason"], "password_changed")

    def test_it_keeps_tokens_where_that_was_asked_for(self) -> None:
        form = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, "keep_tokens": True}
        access = tokens.access_token(services.open_session(self.user))

        answer = APIClient().post(f"{API}auth/password/", form, headers={"Authorization": f"Bearer {access}"})

        self.assertEqual(answer.status_code, 200)
        self.assertEqual(self.held.statuses(), {**ENDED, "token": 200})

    def test_it_ends_with_a_reset_and_with_a_password_that_an_administrator_sets(self) -> None:
        def reset() -> None:
            uid = urlsafe_base64_encode(force_bytes(self.user.pk))
            services.reset_password(
                uid=uid, token=default_token_generator.make_token(self.fresh()), new=f"{NEW_PASSWORD} 2"
            )

        ways: list[Any] = [reset, lambda: set_password(self.user, new=f"{NEW_PASSWORD} 3", by=self.admin)]
        for way in ways:
            held = Held(self.fresh())

            way()

            self.assertEqual(held.statuses(), ENDED)

    def test_it_asks_on_the_settings_page(self) -> None:
        page = "/settings/security/password/"
        new = {"new_password": NEW_PASSWORD, "current": PASSWORD}

        shown = self.held.browser.get("/settings/security/")
        self.held.browser.post(page, {**new, "keep_tokens": "on"})

        self.assertContains(shown, "Keep my personal access tokens")
        self.assertEqual(self.held.statuses(), {"access": 401, "token": 200, "refresh": 401, "cookie": 200})
        self.held.browser.post(page, {"new_password": f"{NEW_PASSWORD} 2", "current": NEW_PASSWORD})
        self.assertFalse(PersonalToken.objects.exists())

    def test_it_makes_no_token_for_who_was_ended_just_now(self) -> None:
        Session.objects.update(revoked_at=self.user.created_at)
        with self.assertRaises(PermissionRefused):
            services.create_personal_token(self.user, name="late", session=self.held.session)

        User.objects.filter(pk=self.user.pk).update(is_active=False)
        with self.assertRaises(PermissionRefused):
            services.create_personal_token(self.user, name="late")

    def test_it_gives_the_present_session_its_next_pair(self) -> None:
        pair = services.change_password(self.user, current=PASSWORD, new=NEW_PASSWORD, session=self.held.session)

        self.held.session.refresh_from_db()
        self.assertEqual(pair.refresh, pair_of(self.held.session).refresh)
