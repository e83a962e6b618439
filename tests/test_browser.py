"""The frame that drives the pages in a browser; driving them is `make browser`."""

from unittest import mock

from django.test import SimpleTestCase
from django.urls import NoReverseMatch, reverse

from e2e.browser import chromium, registry
from e2e.environments import Unavailable


class RegistryTests(SimpleTestCase):
    def test_it_has_a_sample_for_every_address_with_parameters(self):
        bare = [route.name for route in registry.routes() if route.parameters and route.name not in registry.SAMPLES]

        self.assertEqual(bare, [])

    def test_it_names_only_routes_that_there_are(self):
        known = {route.name for route in registry.every_route()}

        self.assertEqual((set(registry.SAMPLES) | set(registry.EXEMPT)) - known, set())

    def test_it_reaches_every_address_without_parameters(self):
        for route in registry.routes():
            if not route.parameters:
                with self.subTest(route.name):
                    try:
                        reverse(route.name)
                    except NoReverseMatch as error:
                        self.fail(str(error))


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
