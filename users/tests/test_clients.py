from django.test import RequestFactory, SimpleTestCase, override_settings

from users.clients import client_address, client_name


def request(**meta):
    return RequestFactory().get("/", **meta)


class ClientAddressTests(SimpleTestCase):
    @override_settings(TRUSTED_PROXIES=0)
    def test_it_ignores_what_the_caller_claims(self) -> None:
        address = client_address(request(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="203.0.113.9"))

        self.assertEqual(address, "192.0.2.1")

    def test_it_takes_the_entry_our_outermost_proxy_wrote(self) -> None:
        table = [
            (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
            (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
            (2, "203.0.113.9", "203.0.113.9"),
            (1, "203.0.113.9:4711", "203.0.113.9"),
            (1, "[2001:db8::1]:4711", "2001:db8::1"),
            (1, "2001:db8::1", "2001:db8::1"),
            (1, "::ffff:203.0.113.9", "203.0.113.9"),
            (1, "unknown", "192.0.2.1"),
            (1, "", "192.0.2.1"),
        ]
        for proxies, header, expected in table:
            with self.subTest(header=header), override_settings(TRUSTED_PROXIES=proxies):
                address = client_address(request(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=header))

                self.assertEqual(address, expected)

    def test_it_knows_no_address_where_there_is_none(self) -> None:
        self.assertIsNone(client_address(request(REMOTE_ADDR="")))


class ClientNameTests(SimpleTestCase):
    def test_it_cuts_a_long_name(self) -> None:
        self.assertEqual(len(client_name(request(HTTP_USER_AGENT="x" * 999))), 200)
