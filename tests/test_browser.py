"""The frame that drives the pages in a browser; driving them is `make browser`."""

from unittest import mock

from django.test import SimpleTestCase, TestCase

from e2e.browser import chromium, registry
from e2e.environments import Unavailable
from users.tests.factories import make_admin


class RegistryTests(TestCase):
    def test_it_has_a_sample_for_every_page_with_parameters(self):
        self.client.force_login(make_admin())
        bare = [
            route.name
            for route in registry.routes()
            if not route.is_told
            if self.client.get(route.any_address()).status_code != 405
        ]

        self.assertEqual(bare, [])

    def test_it_names_only_routes_that_there_are(self):
        known = {route.name for route in registry.every_route()}

        self.assertEqual((set(registry.SAMPLES) | set(registry.EXEMPT)) - known, set())


class ChromiumTests(SimpleTestCase):
    def test_it_says_how_to_get_it(self):
        with (
            mock.patch.dict("os.environ", {"CHROMIUM": ""}),
            mock.patch("e2e.browser.chromium.shutil.which", return_value=None),
            self.assertRaisesMessage(Unavailable, "apt install chromium"),
        ):
            chromium.find()

    def test_it_takes_the_one_that_is_named(self):
        with (
            mock.patch.dict("os.environ", {"CHROMIUM": "/opt/it"}),
            mock.patch("e2e.browser.chromium.find_spec", return_value=object()),
        ):
            self.assertEqual(chromium.find(), "/opt/it")
