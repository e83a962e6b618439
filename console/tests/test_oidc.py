import json
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.test import Client, TestCase, override_settings

from notifications.tests.factories import make_method
from responders.services.tokens import new_calendar_token
from users.models import BrowserSession, ExternalIdentity, PersonalToken, Role, User
from users.oidc import protocol
from users.oidc.providers import Provider
from users.services import create_personal_token, second_factors
from users.tests.factories import PASSWORD, make_reporter, make_responder
from users.tests.oidc_provider import CLIENT, PERSON, SECRET
from users.tests.test_second_factors import code_of, with_app

START = "/sign-in/oidc/corp/"
CALLBACK = "/sign-in/oidc/corp/callback/"


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


class ProviderCase(TestCase):
    """Tests with a provider in a process of its own, which redirects."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        program = [sys.executable, "-m", "users.tests.oidc_provider"]
        cls.process = subprocess.Popen(program, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.process.wait)
        cls.addClassCleanup(cls.process.stdout.close)
        cls.addClassCleanup(cls.process.terminate)
        cls.issuer = f"http://127.0.0.1:{int(cls.process.stdout.readline())}"

    def setUp(self) -> None:
        protocol.forget()
        self.provider = Provider("corp", self.issuer, CLIENT, SECRET, label="Corp")
        providers = override_settings(OIDC_PROVIDERS={"corp": self.provider})
        providers.enable()
        self.addCleanup(providers.disable)
        self.control()

    def control(self, **wanted: Any) -> None:
        request = urllib.request.Request(f"{self.issuer}/control", json.dumps(wanted).encode())
        urllib.request.urlopen(request).close()

    def visit(self, address: str) -> str:
        """Open an address of the provider as a browser does, and return where it leads."""
        try:
            urllib.request.build_opener(NoRedirects).open(address)
        except urllib.error.HTTPError as error:
            error.close()
            self.assertEqual(error.code, 302)
            return str(error.headers["Location"]).removeprefix("http://testserver")
        raise AssertionError("It leads nowhere.")

    def asked(self, client: Client, next: str = "") -> str:
        answer = client.get(START, {"next": next})
        self.assertEqual(answer.status_code, 302)
        return self.visit(answer["Location"])

    def enter(self, client: Client | None = None, next: str = ""):
        client = client or self.client
        return client.get(self.asked(client, next))

    def is_in(self, client: Client | None = None) -> bool:
        return "_auth_user_id" in (client or self.client).session


class SignInTests(ProviderCase):
    def test_it_makes_a_reporter_of_somebody_new(self) -> None:
        answer = self.enter(next="/inbox/")

        user = User.objects.get()
        self.assertRedirects(answer, "/inbox/")
        self.assertEqual((user.email, user.name, user.role), (PERSON["email"], PERSON["name"], Role.REPORTER))
        self.assertIsNotNone(user.email_verified_at)
        self.assertFalse(user.has_usable_password())

    def test_it_is_offered_on_the_sign_in_page(self) -> None:
        page = self.client.get("/sign-in/?next=/inbox/%3Funread%3Dtrue")

        self.assertContains(page, "Sign in with Corp")
        self.assertContains(page, f'href="{START}?next=%2Finbox%2F%3Funread%3Dtrue"')

    def test_it_knows_somebody_again_whatever_the_address_became(self) -> None:
        self.enter()
        self.control(claims={"email": "new@corp.example", "email_verified": False})

        self.enter(Client())

        self.assertEqual((User.objects.count(), ExternalIdentity.objects.count()), (1, 1))

    def test_it_links_an_account_by_its_verified_address(self) -> None:
        user = make_responder(email=PERSON["email"])

        answer = self.enter()

        self.assertEqual(answer["Location"], "/")
        self.assertEqual(ExternalIdentity.objects.get().user, user)
        user.refresh_from_db()
        self.assertTrue(user.check_password(PASSWORD))

    def test_it_takes_an_account_from_whoever_never_proved_the_address(self) -> None:
        squatter = make_reporter(email=PERSON["email"])
        browser = Client()
        browser.post("/sign-in/", {"email": squatter.email, "password": PASSWORD})
        create_personal_token(squatter, name="stays behind")
        with_app(squatter)
        make_method(squatter)
        new_calendar_token(squatter, None)

        self.enter()

        self.assertFalse(squatter.contact_methods.exists() or squatter.calendar_tokens.exists())
        squatter.refresh_from_db()
        self.assertTrue(self.is_in())
        self.assertFalse(squatter.has_usable_password() or second_factors.is_set(squatter))
        self.assertEqual((PersonalToken.objects.count(), browser.get("/inbox/").status_code), (0, 302))

    def test_it_asks_for_the_second_factor_too(self) -> None:
        user = make_responder(email=PERSON["email"])
        secret, _codes = with_app(user)

        answer = self.enter(next="/inbox/")
        before = self.is_in()
        done = self.client.post("/sign-in/code/", {"code": code_of(secret)})

        self.assertRedirects(answer, "/sign-in/code/", fetch_redirect_response=False)
        self.assertFalse(before)
        self.assertRedirects(done, "/inbox/")

    def test_it_loses_no_browser_of_whoever_is_signed_in_when_it_asks(self) -> None:
        with_app(make_responder(email=PERSON["email"]))
        self.client.post("/sign-in/", {"email": make_reporter().email, "password": PASSWORD})

        self.enter()

        self.assertEqual(BrowserSession.objects.get().session_key, self.client.session.session_key)

    def test_it_reads_the_user_information_where_the_token_has_no_address(self) -> None:
        self.control(claims={"email": None, "email_verified": None, "name": None}, userinfo={"email_verified": "true"})

        self.enter()

        self.assertEqual(User.objects.get().email, PERSON["email"])

    def test_it_follows_the_providers_new_keys(self) -> None:
        self.enter()
        with self.settings():
            self.control(rotate="two")
            protocol._keys[self.issuer] = (float("-inf"), protocol._keys[self.issuer][1])

            self.enter(Client())

        self.assertEqual(ExternalIdentity.objects.count(), 1)

    def test_it_trusts_addresses_where_the_operator_says_so(self) -> None:
        self.control(claims={"email_verified": None})
        trusting = Provider("corp", self.issuer, CLIENT, SECRET, trusts_email=True)

        with override_settings(OIDC_PROVIDERS={"corp": trusting}):
            self.enter()

        self.assertTrue(self.is_in())

    def test_it_takes_the_names_that_it_can_and_invents_the_others(self) -> None:
        self.control(claims={"name": "buy at http://evil.example"})

        self.enter()

        self.assertEqual(User.objects.get().name, "ann")

    def test_it_unlinks_after_a_proof(self) -> None:
        self.enter()
        row = ExternalIdentity.objects.get()
        other = Client()
        other.force_login(make_reporter())

        stranger = other.post(f"/settings/security/identities/{row.pk}/unlink/")
        page = self.client.get("/settings/security/")
        done = self.client.post(f"/settings/security/identities/{row.pk}/unlink/")

        self.assertNotEqual(stranger.status_code, 302)
        self.assertContains(page, PERSON["email"])
        self.assertEqual((done.status_code, ExternalIdentity.objects.exists()), (302, False))


class RefusalTests(ProviderCase):
    def assert_refused(self, answer: Any, text: str, status: int) -> None:
        self.assertContains(answer, text, status_code=status)
        self.assertFalse(self.is_in(answer.client))
        self.assertFalse(ExternalIdentity.objects.exists())

    def test_it_refuses_tokens_that_are_not_for_us_now(self) -> None:
        hostile: dict[str, dict[str, Any]] = {
            "nonce": {"claims": {"nonce": "another nonce"}},
            "no nonce": {"claims": {"nonce": None}},
            "audience": {"claims": {"aud": "somebody else"}},
            "shared audience": {"claims": {"aud": [CLIENT, "somebody else"]}},
            "authorized party": {"claims": {"azp": "somebody else"}},
            "issuer": {"claims": {"iss": "https://evil.example"}},
            "expired": {"shift": -400},
            "no subject": {"claims": {"sub": None}},
            "no expiry": {"claims": {"iat": None}},
            "unsigned": {"sign": "none"},
            "public key as secret": {"sign": "hmac"},
            "forged": {"sign": "forged"},
            "other person's information": {"claims": {"email": None}, "userinfo": {"sub": "1"}},
            "denied": {"deny": True},
        }
        for name, control in hostile.items():
            self.control(**control)
            with self.subTest(name):
                self.assert_refused(self.enter(Client()), "was not accepted", 401)
        self.assertFalse(User.objects.exists())

    def test_it_refuses_answers_that_this_browser_did_not_ask_for(self) -> None:
        stolen = self.asked(Client())
        own = self.asked(self.client)
        state = parse_qs(urlsplit(own).query)["state"][0]
        ways = {
            "another browser's": (self.client, stolen),
            "no state": (self.client, f"{CALLBACK}?code=x"),
            "wrong state": (self.client, own.replace(state, "x" * 43)),
            "another code": (self.client, f"{CALLBACK}?code=x&state={state}"),
        }
        for name, (client, address) in ways.items():
            with self.subTest(name):
                self.assert_refused(client.get(address), "was not accepted", 401)

    def test_it_takes_an_answer_once(self) -> None:
        back = self.asked(self.client)
        self.client.get(back)
        self.client.post("/sign-out/")

        self.assertContains(self.client.get(back), "was not accepted", status_code=401)

    def test_it_refuses_another_issuers_answer(self) -> None:
        back = self.asked(self.client)

        self.assert_refused(self.client.get(f"{back}&iss=https%3A%2F%2Fevil.example"), "was not accepted", 401)

    def test_it_links_no_address_that_is_not_verified(self) -> None:
        make_responder(email=PERSON["email"])
        for value in (False, None, "false", 1, "yes"):
            self.control(claims={"email_verified": value})
            with self.subTest(value):
                self.assert_refused(self.enter(Client()), "address is verified", 403)

    def test_it_refuses_who_was_deactivated(self) -> None:
        make_responder(email=PERSON["email"], is_active=False)
        self.assert_refused(self.enter(), "not active", 403)

        User.objects.update(is_active=True)
        self.enter(Client())
        User.objects.update(is_active=False)
        answer = self.enter(Client())
        self.assertContains(answer, "not active", status_code=403)
        self.assertFalse(self.is_in(answer.client))

    def test_it_registers_nobody_where_that_is_closed(self) -> None:
        with override_settings(OIDC_REGISTRATION=False):
            self.assert_refused(self.enter(), "Ask an administrator", 403)

    def test_it_takes_addresses_of_allowed_domains_only(self) -> None:
        with override_settings(OIDC_EMAIL_DOMAINS=["Other.example"]):
            self.assert_refused(self.enter(), "domain", 403)
        with override_settings(OIDC_EMAIL_DOMAINS=["CORP.example"]):
            self.enter(Client())
        self.assertTrue(User.objects.exists())

    def test_it_says_when_the_provider_is_away_or_strange(self) -> None:
        strange = {
            "issuer": {"issuer": "https://evil.example"},
            "endpoint": {"token_endpoint": "http://evil.example/token"},
            "missing": {"jwks_uri": None},
        }
        for name, metadata in strange.items():
            self.control(metadata=metadata)
            protocol.forget()
            with self.subTest(name):
                self.assertContains(self.client.get(START), "did not answer as expected", status_code=502)
        away = Provider("corp", "http://127.0.0.1:9", CLIENT, SECRET)
        with override_settings(OIDC_PROVIDERS={"corp": away}):
            self.assertContains(self.client.get(START), "did not answer as expected", status_code=502)

    @override_settings(RATES_PER_ADDRESS={"sign_in_start": "1/hour"})
    def test_it_limits_how_often_one_client_begins(self) -> None:
        cache.clear()
        statuses = [self.client.get(START).status_code for _time in range(2)]
        key = self.client.post("/sign-in/passkey/options/")
        cache.clear()

        self.assertEqual((statuses, key.status_code), ([302, 429], 429))
        self.assertGreater(int(key["Retry-After"]), 0)

    def test_it_knows_no_provider_that_is_not_set(self) -> None:
        for path in ("/sign-in/oidc/other/", "/sign-in/oidc/other/callback/?code=x&state=y"):
            self.assertEqual(self.client.get(path).status_code, 404)

    def test_it_leads_to_local_pages_only(self) -> None:
        self.assertEqual(self.enter(next="https://evil.example/")["Location"], "/incidents/")
