from django.test import SimpleTestCase, override_settings

from status_page.addresses import page_url


class PageUrlTests(SimpleTestCase):
    @override_settings(PUBLIC_URL="https://incidents.example.org", STATUS_URL="")
    def test_it_stands_below_the_servers_own_address(self) -> None:
        self.assertEqual(page_url("feed.rss"), "https://incidents.example.org/status/feed.rss")

    @override_settings(STATUS_URL="https://status.example.org")
    def test_it_may_have_an_address_of_its_own(self) -> None:
        self.assertEqual(page_url("confirm/x/"), "https://status.example.org/confirm/x/")
