"""Messages that only one browser can read."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key, generate_private_key
from django.test import SimpleTestCase

from notifications.channels.push.encryption import MOST_BYTES, encrypt, point_of
from notifications.channels.push.subscription import from_base64, to_base64
from notifications.channels.push.tests.decrypting import decrypt

# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RECEIVER_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def private(text: str):
    return derive_private_key(int.from_bytes(from_base64(text), "big"), SECP256R1())


class EncryptionTests(SimpleTestCase):
    def test_it_encrypts_the_example_of_the_standard(self) -> None:
        body = encrypt(
            PLAIN,
            p256dh=from_base64(RECEIVER_POINT),
            auth=from_base64(AUTH),
            sender=private(SENDER),
            salt=from_base64(SALT),
        )

        self.assertEqual(to_base64(body), BODY)
        self.assertEqual(decrypt(from_base64(BODY), private(RECEIVER), from_base64(AUTH)), PLAIN)

    def test_it_encrypts_for_the_browser_and_nobody_else(self) -> None:
        browser, other, auth = generate_private_key(SECP256R1()), generate_private_key(SECP256R1()), os.urandom(16)
        for content in (b"", b"\x02", b"\0\0", "ä⬢".encode(), os.urandom(MOST_BYTES - 1) + b"x"):
            with self.subTest(len(content)):
                body = encrypt(
                    content,
                    p256dh=point_of(browser.public_key()),
                    auth=auth,
                    sender=generate_private_key(SECP256R1()),
                    salt=os.urandom(16),
                )

                self.assertEqual(decrypt(body, browser, auth), content)
                self.assertLessEqual(len(body), 4096)
                for key, word in ((other, auth), (browser, bytes(16))):
                    with self.assertRaises(InvalidTag):
                        decrypt(body, key, word)

    def test_it_refuses_what_services_would_refuse(self) -> None:
        browser = generate_private_key(SECP256R1())

        with self.assertRaises(ValueError):
            encrypt(
                bytes(MOST_BYTES + 1),
                p256dh=point_of(browser.public_key()),
                auth=bytes(16),
                sender=browser,
                salt=bytes(16),
            )
