import json
from typing import Any
from unittest import mock

from django.test import Client, TestCase, override_settings

from users.models import RecoveryCode, SecurityKey, User
from users.services import second_factors, security_keys
from users.tests.factories import PASSWORD, make_admin, make_reporter, make_responder
from users.tests.soft_key import PRESENT, SoftKey

PASSKEY = "/sign-in/passkey/"
KEYS = "/settings/security/keys/"


class Base(TestCase):
    def setUp(self) -> None:
        self.user = make_responder()
        self.key = SoftKey()

    def signed_in(self, user: User | None = None) -> Client:
        client = Client()
        client.post("/sign-in/", {"email": (user or self.user).email, "password": PASSWORD})
        return client

    def options(self, client: Client, path: str, **form: str) -> Any:
        answer = client.post(f"{path}options/", form)
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()

    def add(self, client: Client | None = None, key: SoftKey | None = None):
        client, key = client or self.signed_in(), key or self.key
        options = self.options(client, KEYS, password=PASSWORD)
        key.handle = security_keys._handle_of(self.user)
        return client.post(KEYS, {"credential": key.made(options), "name": "Phone"})

    def enter(self, key: SoftKey | None = None, client: Client | None = None, **form: str):
        client = client or Client()
        options = self.options(client, PASSKEY)
        return client.post(PASSKEY, {"credential": (key or self.key).signed(options), **form})

    def is_in(self, answer: Any) -> bool:
        return "_auth_user_id" in answer.client.session


class PasskeyTests(Base):
    def test_it_signs_in_without_a_password(self) -> None:
        added = self.add()
        answer = self.enter(next="/inbox/")

        self.assertContains(added, "they are not shown again")
        self.assertRedirects(answer, "/inbox/", fetch_redirect_response=False)
        self.assertEqual((SecurityKey.objects.get().name, RecoveryCode.objects.count()), ("Phone", 10))
        self.assertTrue(answer.client.session["second_factor_given"])

    def test_it_refuses_what_was_not_asked_here_and_now(self) -> None:
        self.add()
        client, asking = Client(), Client()
        unasked = client.post(PASSKEY, {"credential": self.key.signed(self.options(asking, PASSKEY))})
        answers = {"no question": (unasked, self.is_in(unasked))}
        options = self.options(client, PASSKEY)
        signed = self.key.signed(options)
        self.assertTrue(self.is_in(client.post(PASSKEY, {"credential": signed})))
        again = Client().post(PASSKEY, {"credential": signed})
        answers["twice"] = (again, self.is_in(again))
        for name, text in {
            "nothing": "",
            "no JSON": "{",
            "a list": "[]",
            "deep": "[" * 5000,
            "empty": "{}",
            "long": '"' + "x" * 20_000,
        }.items():
            other = Client()
            self.options(other, PASSKEY)
            answer = other.post(PASSKEY, {"credential": text})
            answers[name] = (answer, self.is_in(answer))

        for name, (answer, is_in) in answers.items():
            with self.subTest(name):
                self.assertContains(answer, "not accepted", status_code=401)
                self.assertFalse(is_in)

    def test_it_refuses_answers_that_are_too_late(self) -> None:
        self.add()
        client = Client()
        options = self.options(client, PASSKEY)
        with mock.patch.object(security_keys.time, "time", return_value=security_keys.time.time() + 301):
            answer = client.post(PASSKEY, {"credential": self.key.signed(options)})

        self.assertEqual(answer.status_code, 401)

    def test_it_refuses_other_origins_keys_and_people(self) -> None:
        self.add()
        strangers = {
            "origin": SoftKey(origin="http://evil.testserver", identity=self.key.identity, secret=self.key.secret),
            "port": SoftKey(origin="http://testserver:81", identity=self.key.identity, secret=self.key.secret),
            "signature": SoftKey(identity=self.key.identity),
            "unknown": SoftKey(),
            "person": SoftKey(identity=self.key.identity, secret=self.key.secret, handle=b"x" * 32),
            "unverified": SoftKey(identity=self.key.identity, secret=self.key.secret, flags=PRESENT),
            "absent": SoftKey(identity=self.key.identity, secret=self.key.secret, flags=0),
        }
        for name, key in strangers.items():
            with self.subTest(name):
                answer = self.enter(key)

                self.assertEqual((answer.status_code, self.is_in(answer)), (401, False))

    def test_it_refuses_a_copy_that_counts_behind(self) -> None:
        self.key.counter = 5
        self.add()
        self.assertTrue(self.is_in(self.enter()))

        copy = SoftKey(identity=self.key.identity, secret=self.key.secret, counter=3)

        self.assertEqual(self.enter(copy).status_code, 401)
        self.assertTrue(self.is_in(self.enter()))

    def test_it_refuses_who_may_not_sign_in(self) -> None:
        self.add()
        User.objects.filter(pk=self.user.pk).update(is_active=False)

        self.assertEqual(self.enter().status_code, 401)

    @override_settings(AXES_FAILURE_LIMIT=2)
    def test_it_counts_refusals_towards_the_lock(self) -> None:
        self.add()
        forged = SoftKey(identity=self.key.identity)

        statuses = [self.enter(forged).status_code for _time in range(2)]

        self.assertEqual((statuses, self.enter().status_code), ([401, 429], 429))

    def test_it_leads_to_local_pages_only(self) -> None:
        self.add()

        self.assertEqual(self.enter(next="https://evil.example/")["Location"], "/")


class SecondFactorTests(Base):
    def begin(self) -> Client:
        client = self.signed_in()
        self.assertNotIn("_auth_user_id", client.session)
        return client

    def test_it_is_asked_for_after_the_password(self) -> None:
        self.key.flags = PRESENT
        self.add()
        client = self.begin()

        options = self.options(client, "/sign-in/key/")
        answer = client.post("/sign-in/key/", {"credential": self.key.signed(options)})

        self.assertEqual(len(options["publicKey"]["allowCredentials"]), 1)
        self.assertRedirects(answer, "/", fetch_redirect_response=False)

    def test_it_takes_no_key_of_somebody_else(self) -> None:
        self.add()
        other, self.user = self.user, make_responder()
        theirs = SoftKey()
        self.add(key=theirs)
        client = self.begin()

        answer = client.post("/sign-in/key/", {"credential": self.key.signed(self.options(client, "/sign-in/key/"))})

        self.assertEqual((answer.status_code, other.pk != self.user.pk), (401, True))
        self.assertNotIn("_auth_user_id", client.session)

    def test_it_asks_nobody_who_gave_no_password(self) -> None:
        self.assertEqual(Client().post("/sign-in/key/options/").status_code, 401)
        self.assertRedirects(Client().post("/sign-in/key/"), "/sign-in/")

    def test_it_asks_the_api_for_a_recovery_code(self) -> None:
        added = self.add()
        form = {"email": self.user.email, "password": PASSWORD}
        code = added.context["codes"][0]

        answers = [
            Client().post("/api/v1/auth/token/", {**form, **more}, content_type="application/json")
            for more in ({}, {"otp": code})
        ]

        self.assertEqual([answer.status_code for answer in answers], [401, 200])
        self.assertEqual(answers[0].json()["code"], "otp_required")


class ManagingTests(Base):
    def test_it_asks_for_the_password_before_a_key_is_made(self) -> None:
        client = self.signed_in()
        for password in ("", "wrong"):
            with self.subTest(password):
                answer = client.post(f"{KEYS}options/", {"password": password})

                self.assertEqual((answer.status_code, "password" in answer.json()["detail"]), (400, True))
        self.assertEqual(client.post(KEYS, {"credential": "{}", "name": "x"}).status_code, 401)

    def test_it_adds_no_key_twice_and_none_made_for_somebody_else(self) -> None:
        client = self.signed_in()
        self.add(client)
        again = self.add(client)
        other = self.signed_in(make_reporter())
        planted = other.post(
            KEYS, {"credential": self.key.made(self.options(client, KEYS, password=PASSWORD)), "name": "x"}
        )

        self.assertEqual((again.status_code, planted.status_code, SecurityKey.objects.count()), (409, 401, 1))

    def test_it_offers_the_browser_what_it_has_already(self) -> None:
        client = self.signed_in()
        self.add(client)

        options = self.options(client, KEYS, password=PASSWORD)["publicKey"]

        self.assertEqual(len(options["excludeCredentials"]), 1)
        self.assertNotIn(self.user.email, json.dumps(options["user"]["id"]))
        self.assertEqual(options["rp"]["id"], "testserver")

    def test_it_removes_ones_own_and_the_codes_with_the_last(self) -> None:
        client = self.signed_in()
        self.add(client)
        key = SecurityKey.objects.get()

        stranger = self.signed_in(make_reporter()).post(f"{KEYS}{key.pk}/remove/", {"password": PASSWORD})
        wrong = client.post(f"{KEYS}{key.pk}/remove/", {"password": "wrong"})
        right = client.post(f"{KEYS}{key.pk}/remove/", {"password": PASSWORD})

        self.assertEqual((stranger.status_code, wrong.status_code, right.status_code), (404, 400, 302))
        self.assertFalse(second_factors.is_set(self.user) or RecoveryCode.objects.exists())

    def test_it_lets_administrators_remove_all(self) -> None:
        self.add()

        second_factors.remove_factors(self.user, by=make_admin())

        self.assertFalse(SecurityKey.objects.exists())
        self.assertIn("_auth_user_id", self.signed_in().session)

    def test_it_offers_no_key_where_the_address_is_a_number(self) -> None:
        with override_settings(ALLOWED_HOSTS=["127.0.0.1", "[::1]"]):
            for host in ("127.0.0.1:8000", "[::1]:8000"):
                page = Client().get("/sign-in/", headers={"host": host})

                self.assertNotContains(page, "passkey")
