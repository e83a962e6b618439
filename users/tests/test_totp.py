import base64
from urllib.parse import parse_qs, unquote, urlsplit

from django.test import SimpleTestCase

from users import totp

# RFC 6238, appendix B: SHA-1, its eight digits cut to six.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
NOW = 1_800_000_000.0


class TotpTests(SimpleTestCase):
    def test_it_computes_the_codes_of_the_standard(self) -> None:
        found = {now: totp.code_at(RFC_SECRET, totp.step_at(now)) for now in RFC_CODES}

        self.assertEqual(found, RFC_CODES)

    def test_it_takes_the_codes_of_one_step_around(self) -> None:
        present = totp.step_at(NOW)
        taken = {
            shift: totp.matching_step(RFC_SECRET, totp.code_at(RFC_SECRET, present + shift), NOW, after=0) is not None
            for shift in range(-3, 4)
        }

        self.assertEqual(taken, {-3: False, -2: False, -1: True, 0: True, 1: True, 2: False, 3: False})

    def test_it_takes_no_code_of_a_used_step_or_before(self) -> None:
        present = totp.step_at(NOW)

        for after, shift in ((present, 0), (present, -1), (present + 1, 0)):
            with self.subTest(after=after, shift=shift):
                code = totp.code_at(RFC_SECRET, present + shift)
                self.assertIsNone(totp.matching_step(RFC_SECRET, code, NOW, after=after))

    def test_it_names_secret_account_and_issuer(self) -> None:
        secret = totp.new_secret()
        address = urlsplit(totp.address_of(secret, account="ann+x@example.com", issuer="Incident Response"))

        self.assertEqual((address.scheme, address.netloc), ("otpauth", "totp"))
        self.assertEqual(unquote(address.path), "/Incident Response:ann+x@example.com")
        self.assertEqual(parse_qs(address.query)["secret"], [secret])
        self.assertEqual(len(base64.b32decode(secret)), totp.SECRET_BYTES)
