from django.test import RequestFactory, SimpleTestCase, override_settings

from core.api.clients import client_address, client_name, client_network, network_label


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


class ClientNetworkTests(SimpleTestCase):
    def test_it_counts_by_what_one_caller_has(self) -> None:
        table = {
            "192.0.2.7": "192.0.2.7",
            "::ffff:192.0.2.7": "192.0.2.7",
            "2001:db8:1:2::1": "2001:db8:1:2::",
            "2001:db8:1:2:ffff:ffff:ffff:ffff": "2001:db8:1:2::",
            "2001:db8:1:3::1": "2001:db8:1:3::",
            "2002:c000:207:1::1": "192.0.2.7",
            "2002:c000:207:2::1": "192.0.2.7",
            "64:ff9b::c000:207": "192.0.2.7",
            "fe80::1%eth0": "fe80::",
            "": None,
        }
        for address, expected in table.items():
            with self.subTest(address):
                self.assertEqual(client_network(request(REMOTE_ADDR=address)), expected)

    def test_it_is_told_with_its_length(self) -> None:
        told = [network_label(network) for network in ("192.0.2.7", "2001:db8:1:2::", None)]

        self.assertEqual(told, ["192.0.2.7", "2001:db8:1:2::/64", ""])


class ClientNameTests(SimpleTestCase):
    def test_it_cuts_a_long_name(self) -> None:
        self.assertEqual(len(client_name(request(HTTP_USER_AGENT="x" * 999))), 200)
