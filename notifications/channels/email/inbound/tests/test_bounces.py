from email import message_from_bytes

from django.test import SimpleTestCase

from notifications.channels.email.inbound.bounces import Bounce, read_bounce
from notifications.channels.email.inbound.tests.mails import bounce, mail
from notifications.channels.email.tokens import BOUNCES, make_token, plus_address

TOKEN = make_token(key="delivery-1", incident=7, address="ana@example.com")
TO = plus_address("in@example.org", f"{BOUNCES}{TOKEN}")


def read(raw: bytes, to: str = TO) -> Bounce | None:
    return read_bounce(message_from_bytes(raw), [to], raw.decode("latin-1"))


class BounceTests(SimpleTestCase):
    def test_it_reads_which_mail_came_back_and_why(self):
        found = read(bounce(to=TO))

        assert found is not None
        self.assertEqual(str(found.tokens[0]), str(TOKEN))
        self.assertTrue(found.is_final)
        self.assertEqual(found.reason, "550 5.1.1 <a…@example.com>: Recipient address rejected: User unknown")

    def test_it_finds_the_mail_by_its_returned_headers_too(self):
        found = read(bounce(to="in@example.org", returned=f"Message-ID: <{TOKEN}@example.org>"), "in@example.org")

        assert found is not None
        self.assertEqual(found.tokens, (TOKEN,))

    def test_it_takes_ten_tokens_from_a_mail_however_many_it_holds(self):
        forged = [make_token(key=f"{number}", incident=7, address="eve@example.com") for number in range(5000)]
        body = " ".join(f"<{token}@example.org>" for token in forged)

        found = read(bounce(to=TO, returned=f"References: {body}"))

        assert found is not None
        self.assertEqual(len(found.tokens), 10)
        self.assertEqual(str(found.tokens[0]), str(TOKEN))

    def test_it_tells_delays_from_failures(self):
        for action, status, is_final in (
            ("delayed", "4.4.1", False),
            ("failed", "5.2.2", True),
            ("relayed", "2.0.0", False),
            ("", "5.0.0", True),
            ("", "4.0.0", False),
        ):
            with self.subTest(action, status=status):
                found = read(bounce(to=TO, action=action, status=status, diagnostic="smtp; said so"))

                assert found is not None
                self.assertEqual(found.is_final, is_final)
                self.assertIn("said so", found.reason)

    def test_it_reads_exims_reports(self):
        found = read(mail(subject="Mail delivery failed", X_Failed_Recipients="ana@example.com"))

        assert found is not None
        self.assertTrue(found.is_final)
        self.assertEqual(found.reason, "Mail delivery failed")

    def test_it_takes_no_other_mail_for_a_report(self):
        self.assertIsNone(read(mail()))
        self.assertIsNone(read(mail(to=TO, subject="Out of office", Auto_Submitted="auto-replied")))

    def test_it_survives_damaged_reports(self):
        whole = bounce(to=TO)
        for raw in (whole[:700], whole.replace(b"Status: 5.1.1", b"Status: \xff\x00"), whole.replace(b"Action", b"\n")):
            read(raw)
