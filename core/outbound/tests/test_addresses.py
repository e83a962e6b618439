"""Which addresses are public."""

from ipaddress import ip_network

from django.test import SimpleTestCase

from core.outbound.addresses import is_public, is_within, literal


class AddressesTests(SimpleTestCase):
    def test_it_lets_public_addresses_through(self):
        for address in ("1.1.1.1", "52.94.236.248", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001:800::200e"):
            with self.subTest(address):
                self.assertTrue(is_public(address))

    def test_it_refuses_all_others(self):
        for address in (
            *(
                "0.0.0.0",
                "10.1.2.3",
                "100.64.0.1",
                "100.100.100.200",
                "127.0.0.1",
                "127.255.255.254",
                "169.254.169.254",
            ),
            *("168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.19.0.1"),
            *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
            *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1"),
            *("::ffff:127.0.0.1", "::ffff:1.1.1.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1"),
            *("2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1"),
        ):
            with self.subTest(address):
                self.assertFalse(is_public(address))

    def test_it_unwraps_what_translates_to_another_address(self):
        table = (
            ("10.1.2.3", "10.0.0.0/8", True),
            ("11.1.2.3", "10.0.0.0/8", False),
            ("::1", "::1/128", True),
            ("::1", "127.0.0.0/8", False),
            ("fd00::1", "fd00::/8", True),
            ("64:ff9b::808:808", "64:ff9b::/96", True),
            ("64:ff9b::a9fe:a9fe", "64:ff9b::/96", False),
            ("64:ff9b:1::7f00:1", "64:ff9b:1::/48", False),
            ("2002:a9fe:a9fe::1", "2002::/16", False),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", "2001::/32", False),
            ("::ffff:10.0.0.1", "::/0", False),
        )
        for address, network, expected in table:
            with self.subTest(address, network=network):
                self.assertEqual(is_within(address, [ip_network(network)]), expected)
        self.assertTrue(is_within("64:ff9b::a00:1", [ip_network("64:ff9b::/96"), ip_network("10.0.0.0/8")]))

    def test_it_reads_addresses_in_their_usual_form_only(self):
        for host, expected in (("1.1.1.1", "1.1.1.1"), ("[::1]", "::1"), ("a.test", None), ("1.test", None)):
            with self.subTest(host):
                self.assertEqual(literal(host), expected)
        for host in ("2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.1", "0x", "1.1.1.1.", "a.0x7f"):
            with self.subTest(host), self.assertRaises(ValueError):
                literal(host)
