from django.test import SimpleTestCase

from notifications.channels.email.inbound.authenticity import is_aligned, judge
from tests.reported import reported_failure

SENDER = "ana@example.com"


class AuthenticityTests(SimpleTestCase):
    def test_it_believes_what_our_own_server_found(self):
        table = [
            "mx.example.org; dmarc=pass (p=reject) header.from=example.com",
            "mx.example.org 1; spf=fail smtp.mailfrom=x.example; dmarc=pass header.from=EXAMPLE.com",
            "mx.example.org; dkim=pass header.d=example.com header.s=s1",
            'mx.example.org; dkim=pass header.i="@example.com"',
            "MX.example.org; spf=pass smtp.mailfrom=ana@example.com",
            "mx.example.org; dkim=fail header.d=x.example; dkim=pass (1024-bit; good) header.d=example.com",
        ]
        for results in table:
            with self.subTest(results):
                self.assertTrue(judge([results], "mx.example.org", SENDER).is_genuine)

    @reported_failure(24)
    def test_it_believes_nothing_else(self):
        table = [
            ([], "mx.example.org"),
            (["mx.example.org; dmarc=pass header.from=example.com"], ""),
            (["evil.example; dmarc=pass header.from=example.com"], "mx.example.org"),
            (["mx.example.org; dmarc=pass header.from=evil.example"], "mx.example.org"),
            (["mx.example.org; dmarc=fail header.from=example.com; dkim=pass header.d=example.com"], "mx.example.org"),
            (["mx.example.org; dkim=pass header.d=evil.example"], "mx.example.org"),
            (["mx.example.org; dkim=pass header.d=com"], "mx.example.org"),
            (["mx.example.org; dkim=pass header.d=shop.example.com"], "mx.example.org"),
            (["mx.example.org; spf=pass smtp.mailfrom=evil.example"], "mx.example.org"),
            (["mx.example.org; spf=pass smtp.helo=example.com"], "mx.example.org"),
            (["mx.example.org; dmarc=none header.from=example.com"], "mx.example.org"),
            (["mx.example.org; none"], "mx.example.org"),
            (["mx.example.org (dmarc=pass header.from=example.com); none"], "mx.example.org"),
            (['mx.example.org; spf=fail reason="dmarc=pass header.from=example.com"'], "mx.example.org"),
            # what the mail brought along stands below our server's own
            (
                [
                    "mx.example.org; dmarc=fail header.from=example.com",
                    "mx.example.org; dmarc=pass header.from=example.com",
                ],
                "mx.example.org",
            ),
            ([";;;=;", "(((((", 'mx.example.org; dmarc="pass'], "mx.example.org"),
        ]
        for results, server in table:
            with self.subTest(results):
                verdict = judge(results, server, SENDER)

                self.assertFalse(verdict.is_genuine)
                self.assertTrue(verdict.because)

    def test_it_aligns_domains_by_whole_names(self):
        table = {
            ("example.com", "example.com"): True,
            ("example.com", "shop.example.com"): True,
            ("shop.example.com", "example.com"): False,
            ("ample.com", "example.com"): False,
            ("com", "example.com"): False,
            ("", "example.com"): False,
        }

        self.assertEqual({pair: is_aligned(*pair) for pair in table}, table)

    def test_it_takes_little_time_for_long_headers(self):
        judge(["(" * 10_000, "mx.example.org;" + "a=b " * 2_500, "mx.example.org;" + ";" * 10_000], "x", SENDER)
