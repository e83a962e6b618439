import hashlib

from django.test import SimpleTestCase, override_settings

from status_page import access
from status_page.tests.snapshots import NOW, ago

DIGEST = hashlib.sha256(b"the-key").hexdigest()
OTHER = hashlib.sha256(b"another-key").hexdigest()


def cookie_value(digest=DIGEST):
    return access.pass_of(access.cookie(digest, NOW, path="/status/").split(";")[0])


class AccessTests(SimpleTestCase):
    def test_it_knows_the_key(self):
        self.assertTrue(access.is_key("the-key", DIGEST))
        for key, digest in (("other", DIGEST), ("", DIGEST), ("the-key", ""), ("", "")):
            self.assertFalse(access.is_key(key, digest))

    def test_it_lets_in_by_cookie_for_thirty_days(self):
        value = cookie_value()

        self.assertTrue(access.is_pass(value, DIGEST, ago(days=-29)))
        self.assertFalse(access.is_pass(value, DIGEST, ago(days=-31)))

    def test_it_lets_nobody_in_after_a_new_key(self):
        self.assertFalse(access.is_pass(cookie_value(), OTHER, NOW))
        self.assertFalse(access.is_grant(access.grant(DIGEST, NOW), OTHER, NOW))

    def test_it_keeps_grants_short_and_apart_from_cookies(self):
        given = access.grant(DIGEST, NOW)

        self.assertTrue(access.is_grant(given, DIGEST, NOW))
        self.assertFalse(access.is_grant(given, DIGEST, ago(minutes=-2)))
        self.assertFalse(access.is_pass(given, DIGEST, NOW))
        self.assertFalse(access.is_grant(cookie_value(), DIGEST, NOW))

    def test_it_refuses_what_is_forged(self):
        end, _dot, seal = cookie_value().partition(".")
        for text in ("", ".", end, f"{int(end) + 1}.{seal}", f"{end}.{seal[:-1]}", f"{end}.é", "9" * 400 + ".x", "١.x"):
            with self.subTest(text[:20]):
                self.assertFalse(access.is_pass(text, DIGEST, NOW))

    @override_settings(SECURE_TRANSPORT=True)
    def test_it_keeps_the_cookie_from_scripts_and_other_sites(self):
        header = access.cookie(DIGEST, NOW, path="/status/")

        for part in ("Path=/status/", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age=2592000"):
            self.assertIn(f"; {part}", header)
