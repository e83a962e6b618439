from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase

from incidents.tests.factories import make_service
from status_page.models import Component, StatusPage
from status_page.tests.factories import make_component, make_page, make_picture, make_public_incident
from users.tests.factories import client_of, make_admin, make_responder

PAGE = "/api/v1/status/page/"
COMPONENTS = "/api/v1/status/components/"


class PageTests(TestCase):
    def setUp(self):
        self.api = client_of(make_admin())

    def test_it_changes_what_was_sent(self):
        answer = self.api.patch(PAGE, {"languages": ["en", "de"], "translations": {"de": {"about": "Hallo"}}})

        told = answer.json()
        self.assertEqual((told["languages"], told["translations"]), (["en", "de"], {"de": {"about": "Hallo"}}))
        self.assertEqual((told["has_logo"], told["has_access_key"]), (False, False))

    def test_it_names_the_field_that_is_refused(self):
        for wrong in ({"languages": ["xx"]}, {"time_zone": "Mars"}, {"translations": {"fr": {"name": "x"}}}):
            with self.subTest(wrong):
                answer = self.api.patch(PAGE, wrong)

                self.assertEqual(answer.status_code, 400)
                self.assertEqual(answer.json()["errors"][0]["field"], next(iter(wrong)))

    def test_it_shows_an_access_key_once_and_repeats_it_to_nobody(self):
        keys = [
            self.api.post(f"{PAGE}access-key/", headers={"Idempotency-Key": "k"}).json()["key"] for _again in range(2)
        ]

        self.assertNotEqual(*keys)
        self.assertNotIn(keys[1], self.api.get(PAGE).content.decode())

    def test_it_takes_shows_and_removes_a_logo(self):
        sent = {"logo": SimpleUploadedFile("a.png", make_picture())}

        taken = self.api.post(f"{PAGE}logo/", sent, format="multipart")
        shown = self.api.get(f"{PAGE}logo/")
        removed = self.api.delete(f"{PAGE}logo/")

        self.assertTrue(taken.json()["has_logo"])
        self.assertEqual((shown["Content-Type"], shown.content[:4]), ("image/png", b"\x89PNG"))
        self.assertEqual((removed.status_code, bytes(StatusPage.objects.get().logo)), (204, b""))

    def test_it_refuses_a_file_that_is_no_picture(self):
        sent = {"logo": SimpleUploadedFile("a.png", b"<svg onload=alert(1)>")}

        self.assertEqual(self.api.post(f"{PAGE}logo/", sent, format="multipart").status_code, 415)


class ComponentTests(TestCase):
    def setUp(self):
        self.api = client_of(make_admin())

    def test_it_makes_the_group_by_name(self):
        make_page()
        make_service("mail")

        told = self.api.post(
            COMPONENTS, {"name": "Mail", "group": "Office", "service": "mail", "translations": {"de": {"name": "Post"}}}
        ).json()

        self.assertEqual((told["group"], told["service"], told["status"]), ("Office", "mail", "operational"))
        self.assertEqual(Component.objects.get().translations, {"de": {"name": "Post"}})

    def test_it_leaves_the_group_with_null_and_by_replacing(self):
        for change in (
            lambda path: self.api.patch(path, {"group": None}),
            lambda path: self.api.put(path, {"name": "Mail"}),
        ):
            row = make_component("Mail", group="Office")

            self.assertIsNone(change(f"{COMPONENTS}{row.pk}/").json()["group"])
            row.delete()

    def test_it_refuses_unknown_fields(self):
        answer = self.api.post(COMPONENTS, {"name": "Mail", "state": "degraded"})

        self.assertEqual(answer.json()["errors"][0]["code"], "unknown_field")

    def test_it_retires_instead_of_deleting(self):
        website = make_component()
        make_public_incident(components=[website])

        answer = self.api.delete(f"{COMPONENTS}{website.pk}/")

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "in_use"))

    def test_it_lists_at_a_constant_cost(self):
        api = client_of(make_responder())
        make_public_incident(components=[make_component("A", group="Shop")], impact="degraded")
        with self.assertNumQueries(2):
            first = api.get(COMPONENTS).json()["results"]
        for number in range(5):
            make_public_incident(components=[make_component(f"B{number}", group=f"Group {number}")])

        with self.assertNumQueries(2):
            many = api.get(COMPONENTS).json()["results"]

        self.assertEqual([one["status"] for one in first], ["degraded"])
        self.assertEqual(len(many), 6)
