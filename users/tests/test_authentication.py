import datetime as dt
import uuid

import time_machine
from django.test import Client, TestCase
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from users import services, tokens
from users.models import PersonalToken, TokenScope
from users.services import sessions
from users.tests.factories import make_admin, make_reporter

ME = "/api/v1/auth/me/"


def client_with(authorization: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=authorization)
    return client


class SessionJWTTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter()
        self.session = services.open_session(self.user)
        self.token = tokens.access_token(self.session)
        self.client = client_with(f"Bearer {self.token}")

    def assert_refused(self, client: APIClient, code: str) -> None:
        response = client.get(ME)
        self.assertEqual((response.status_code, response.json()["code"]), (401, code))
        self.assertEqual(response["Content-Type"], "application/problem+json")
        self.assertTrue(response["WWW-Authenticate"].startswith("Bearer"))

    def test_it_knows_the_caller_in_one_query(self) -> None:
        with self.assertNumQueries(2):  # the session with its user, and the teams the view shows
            response = self.client.get(ME)

        self.assertEqual(response.json()["id"], self.user.pk)

    def test_it_refuses_a_revoked_session_at_once(self) -> None:
        services.end_sessions(self.user, reason="test")

        self.assert_refused(self.client, "session_ended")

    def test_it_refuses_an_inactive_user_at_once(self) -> None:
        self.user.is_active = False
        self.user.save(update_fields=["is_active"])

        self.assert_refused(self.client, "user_inactive")

    def test_it_refuses_a_session_past_its_time(self) -> None:
        self.session.expires_at = timezone.now()
        self.session.save(update_fields=["expires_at"])

        self.assert_refused(self.client, "session_ended")

    def test_it_refuses_an_access_token_past_its_time(self) -> None:
        with time_machine.travel(timezone.now() + dt.timedelta(minutes=16), tick=False):
            self.assert_refused(self.client, "token_not_valid")

    def test_it_keeps_people_signed_in_when_the_clock_is_put_back(self) -> None:
        pair = sessions.pair_of(self.session)
        self.client = client_with(f"Bearer {pair.access}")
        web = Client()
        web.force_login(make_admin())
        for back in (dt.timedelta(seconds=2), dt.timedelta(hours=1), dt.timedelta(days=2)):
            with self.subTest(back=back), time_machine.travel(timezone.now() - back, tick=False):
                self.assertEqual(self.client.get(ME).status_code, 200)
                self.assertEqual(web.get("/admin/").status_code, 200)
                pair = sessions.refresh(pair.refresh)
                self.client = client_with(f"Bearer {pair.access}")
                self.assertEqual(self.client.get(ME).status_code, 200)

        self.assertEqual(self.client.get(ME).status_code, 401)  # it ended meanwhile, as an access token does
        pair = sessions.refresh(pair.refresh)
        self.assertEqual(client_with(f"Bearer {pair.access}").get(ME).status_code, 200)

    def test_it_has_a_leeway_where_clocks_differ(self) -> None:
        for seconds, status in ((15 * 60 + 5, 200), (15 * 60 + 15, 401)):
            with self.subTest(seconds=seconds), time_machine.travel(timezone.now() + dt.timedelta(seconds=seconds)):
                self.assertEqual(self.client.get(ME).status_code, status)

    def test_it_refuses_what_is_no_access_token(self) -> None:
        for token in ("nonsense", "a.b.c", self.token[:-2], tokens.refresh_token(self.session)):
            with self.subTest(token=token):
                self.assert_refused(client_with(f"Bearer {token}"), "token_not_valid")

    def test_it_refuses_a_token_of_no_session(self) -> None:
        for claim in (None, "nonsense", str(uuid.uuid4())):
            with self.subTest(claim=claim):
                token = AccessToken()
                token["sid"] = claim

                self.assert_refused(client_with(f"Bearer {token}"), "session_ended")

    def test_it_asks_an_anonymous_caller_for_a_token(self) -> None:
        self.assert_refused(APIClient(), "not_authenticated")


class PersonalTokenTests(TestCase):
    def setUp(self) -> None:
        self.user = make_admin()
        self.row, self.token = services.create_personal_token(self.user, name="backup", scope=TokenScope.WRITE)
        self.client = client_with(f"Token {self.token}")

    def assert_refused(self, client: APIClient, status: int, code: str) -> None:
        response = client.get(ME)
        self.assertEqual((response.status_code, response.json()["code"]), (status, code))

    def test_it_stores_a_hash_alone(self) -> None:
        stored = str(PersonalToken.objects.values().get(pk=self.row.pk))

        self.assertNotIn(self.token, stored)
        self.assertEqual(self.row.digest, tokens.digest_of(self.token))
        self.assertTrue(self.token.startswith(self.row.prefix))

    def test_it_knows_the_caller_in_one_query_once_the_use_is_noted(self) -> None:
        self.client.get(ME)

        with self.assertNumQueries(2):
            response = self.client.get(ME)

        self.assertEqual(response.json()["id"], self.user.pk)

    def test_it_notes_the_use_once_a_minute(self) -> None:
        start = timezone.now().replace(microsecond=0)
        noted = []
        for seconds in (0, 59, 61):
            with time_machine.travel(start + dt.timedelta(seconds=seconds), tick=False):
                self.client.get(ME)
            self.row.refresh_from_db()
            noted.append((self.row.last_used_at - start).total_seconds())

        self.assertEqual(noted, [0, 0, 61])

    def test_it_refuses_a_token_past_its_time(self) -> None:
        PersonalToken.objects.update(expires_at=timezone.now())

        self.assert_refused(self.client, 401, "token_expired")

    def test_it_refuses_a_token_nobody_has(self) -> None:
        for header in ("Token", "Token nonsense", "Token a b", f"Token {self.token}x", "Token \xff\xfe"):
            with self.subTest(header=header):
                self.assert_refused(client_with(header), 401, "token_not_valid")

    def test_it_refuses_an_inactive_user(self) -> None:
        self.user.is_active = False
        self.user.save(update_fields=["is_active"])

        self.assert_refused(self.client, 401, "token_not_valid")

    def test_it_lets_a_read_token_read_and_nothing_else(self) -> None:
        PersonalToken.objects.update(scope=TokenScope.READ)

        read, write = self.client.get(ME), self.client.patch(ME, {"name": "x"})

        self.assertEqual((read.status_code, write.status_code), (200, 403))
        self.assertEqual(write.json()["code"], "token_read_only")

    def test_it_lets_a_write_token_write(self) -> None:
        self.assertEqual(self.client.patch(ME, {"name": "New"}).status_code, 200)

    def test_it_lets_no_token_manage_tokens_or_passwords(self) -> None:
        change = {"current_password": "x", "new_password": "y"}
        answers = [
            self.client.get("/api/v1/me/tokens/"),
            self.client.post("/api/v1/me/tokens/", {"name": "more"}),
            self.client.delete(f"/api/v1/me/tokens/{self.row.pk}/"),
            self.client.post("/api/v1/auth/password/", change),
        ]

        self.assertEqual([answer.status_code for answer in answers], [403] * 4)
