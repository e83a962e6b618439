import os
import re
import shutil
import subprocess
import sys
import unittest
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.test import override_settings, tag

from users.models import BrowserSession, SecurityKey
from users.oidc import protocol
from users.oidc.providers import Provider
from users.services import second_factors
from users.tests.factories import PASSWORD, make_responder
from users.tests.oidc_provider import CLIENT, SECRET
from users.tests.test_second_factors import code_of

try:
    from playwright.sync_api import Page, sync_playwright
except ImportError:
    sync_playwright = None  # type: ignore[assignment]

CHROMIUM = os.environ.get("CHROMIUM", "") or shutil.which("chromium") or ""
DESKTOP = {"width": 1280, "height": 800}


@tag("browser")
@unittest.skipUnless(sync_playwright and CHROMIUM, "Playwright and Chromium are not installed")
@override_settings(ALLOWED_HOSTS=["localhost"])
class KeyTests(StaticLiveServerTestCase):
    host = "localhost"

    def setUp(self) -> None:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        self.addCleanup(os.environ.pop, "DJANGO_ALLOW_ASYNC_UNSAFE")
        player = sync_playwright().start()
        self.addCleanup(player.stop)
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        self.addCleanup(browser.close)
        self.page: Page = browser.new_context(viewport=DESKTOP, base_url=self.live_server_url).new_page()
        self.page.set_default_timeout(15_000)
        self.problems: list[str] = []
        self.page.on("console", lambda message: self.note(message.type, message.text))
        self.user = make_responder(email="ben@example.com")
        self.devices = self.page.context.new_cdp_session(self.page)
        self.devices.send("WebAuthn.enable")

    def note(self, kind: str, text: str) -> None:
        if "Content Security Policy" in text or (kind == "error" and "status of 4" not in text):
            self.problems.append(text)

    def arrive(self, path: str) -> None:
        self.page.wait_for_url(lambda address: urlsplit(address).path == path)

    def add_device(self, *, is_passkey: bool = True) -> str:
        """A phone or key whose owner touches it and, of a passkey, shows a finger."""
        options = {
            "protocol": "ctap2",
            "transport": "internal" if is_passkey else "usb",
            "hasResidentKey": is_passkey,
            "hasUserVerification": is_passkey,
            "isUserVerified": is_passkey,
            "automaticPresenceSimulation": True,
        }
        return str(self.devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])

    def give_password(self) -> None:
        self.page.goto("/sign-in/?next=/inbox/")
        self.page.fill("[name=email]", self.user.email)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("button:text-is('Sign in')")

    def add_key(self, name: str = "My phone") -> None:
        self.page.goto("/settings/security/")
        self.page.click("summary:has-text('Add a passkey')")
        self.page.fill("#key_name", name)
        self.page.fill("#proof-key", PASSWORD)
        self.page.click("form[data-webauthn] button")

    def recovery_codes(self) -> list[str]:
        self.page.wait_for_selector("#recovery-codes")
        return self.page.locator("#recovery-codes code").all_text_contents()

    def sign_out(self) -> None:
        self.page.goto("/inbox/")
        self.page.locator("button:has-text('Sign out')").first.click()
        self.arrive("/sign-in/")

    def test_it_signs_in_with_a_passkey_and_no_password(self) -> None:
        self.add_device()
        self.give_password()
        self.arrive("/inbox/")
        self.add_key()
        codes = self.recovery_codes()
        self.sign_out()

        self.page.goto("/sign-in/?next=/settings/tokens/")
        self.page.click("button:has-text('Sign in with a passkey')")

        self.arrive("/settings/tokens/")
        self.assertEqual(len(codes), 10)
        self.assertIsNotNone(SecurityKey.objects.get(user=self.user).last_used_at)
        self.page.fill("[name=name]", "script")
        self.page.click("button:has-text('Make a token')")
        self.assertRegex(self.page.locator("#new-token").inner_text(), r"^irt_")
        self.assertEqual(BrowserSession.objects.filter(user=self.user).count(), 1)
        self.assertEqual(self.problems, [])

    def test_it_asks_for_a_security_key_after_the_password(self) -> None:
        self.add_device(is_passkey=False)
        self.give_password()
        self.arrive("/inbox/")
        self.add_key("Key on my ring")
        codes = self.recovery_codes()
        self.sign_out()

        self.give_password()
        self.arrive("/sign-in/code/")
        self.assertEqual(self.page.locator("[inputmode=numeric]").count(), 0)
        self.page.click("button:has-text('Use a passkey or security key')")
        self.arrive("/inbox/")
        self.sign_out()

        self.give_password()
        self.page.click("summary:has-text('recovery code')")
        self.page.fill("#recovery", codes[0])
        self.page.locator("details button").click()
        self.arrive("/inbox/")
        self.assertEqual(self.problems, [])

    def test_it_signs_in_at_an_identity_provider_that_redirects(self) -> None:
        program = [sys.executable, "-m", "users.tests.oidc_provider"]
        process = subprocess.Popen(program, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.terminate)
        issuer = f"http://127.0.0.1:{int(process.stdout.readline())}"
        protocol.forget()

        with override_settings(OIDC_PROVIDERS={"corp": Provider("corp", issuer, CLIENT, SECRET, label="Corp")}):
            self.page.goto("/sign-in/?next=/settings/security/")
            self.page.click("a:has-text('Sign in with Corp')")
            self.arrive("/settings/security/")

        self.assertTrue(self.page.locator("bdi", has_text="ann@corp.example").first.is_visible())
        self.assertEqual(self.problems, [])

    def test_it_says_when_nothing_was_signed(self) -> None:
        self.page.goto("/sign-in/")
        device = self.add_device()
        self.devices.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})

        self.page.click("button:has-text('Sign in with a passkey')")

        self.page.wait_for_selector("[data-webauthn-problem]:visible")
        self.assertIn("Try again", self.page.locator("[data-webauthn-problem]").inner_text())
        self.assertEqual(self.problems, [])

    def test_it_refuses_a_wrong_password_before_a_key_is_made(self) -> None:
        device = self.add_device()
        self.give_password()
        self.arrive("/inbox/")
        self.page.goto("/settings/security/")
        self.page.click("summary:has-text('Add a passkey')")
        self.page.fill("#key_name", "x")
        self.page.fill("#proof-key", "wrong")
        self.page.click("form[data-webauthn] button")

        self.page.wait_for_selector("[data-webauthn-problem]:visible")
        self.assertIn("not your password", self.page.locator("[data-webauthn-problem]").inner_text())
        made = self.devices.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
        self.assertEqual((made, SecurityKey.objects.exists()), ([], False))

    def test_it_sets_up_an_app_and_asks_for_its_code(self) -> None:
        self.give_password()
        self.arrive("/inbox/")
        self.page.goto("/settings/security/app/")
        secret = re.sub(r"\s", "", self.page.locator("#app-secret").inner_text())
        self.assertTrue(self.page.locator("svg.qr path").is_visible())
        self.page.fill("[name=code]", code_of(secret, -1))
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("button:has-text('Set up')")
        self.assertEqual(len(self.recovery_codes()), 10)
        self.sign_out()

        self.give_password()
        self.arrive("/sign-in/code/")
        self.page.fill("#id_code", code_of(secret))
        self.page.locator("form:has(#id_code) button").click()

        self.arrive("/inbox/")
        self.assertTrue(second_factors.has_app(self.user))
        self.assertEqual(self.problems, [])
