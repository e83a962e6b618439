"""Which addresses are public."""

from django.test import SimpleTestCase

from core.outbound.addresses import is_public


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
