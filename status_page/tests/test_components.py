from django.test import TestCase

from core.errors import Conflict, DomainError, PermissionRefused
from status_page.models import Component, ComponentGroup
from status_page.services import components
from status_page.tests.factories import make_component, make_page, make_public_incident
from users.tests.factories import make_admin, make_responder


class ComponentTests(TestCase):
    def test_it_adds_components_last_and_makes_the_group(self):
        first, second = make_component(group="Shop"), make_component("API", group="shop")

        self.assertEqual((first.position, second.position), (0, 1))
        self.assertEqual(first.group, second.group)
        self.assertEqual(ComponentGroup.objects.get().name, "Shop")

    def test_it_refuses_wrong_values(self):
        make_page()
        make_component()
        for wrong in ({"name": "WEBSITE"}, {"name": ""}, {"translations": {"fr": {}}}, {"status": "operational"}):
            with self.subTest(wrong), self.assertRaises(DomainError):
                make_component(**wrong)

    def test_it_is_for_administrators(self):
        with self.assertRaises(PermissionRefused):
            components.add_component(by=make_responder(), values={"name": "API"})

    def test_it_keeps_what_was_announced_about(self):
        used, unused = make_component(), make_component("API")
        make_public_incident(components=[used])

        with self.assertRaises(Conflict):
            components.remove_component(used, by=make_admin())
        components.remove_component(unused, by=make_admin())

        self.assertEqual(Component.objects.get(), used)

    def test_it_reorders(self):
        first, second = make_component(), make_component("API")

        components.reorder_components([second.pk, first.pk], by=make_admin())

        self.assertEqual(list(Component.objects.all()), [second, first])
        with self.assertRaises(DomainError):
            components.reorder_components([first.pk], by=make_admin())

    def test_it_reorders_groups(self):
        first, second = (components.add_group(by=make_admin(), values={"name": name}) for name in ("Shop", "API"))

        components.reorder_groups([second.pk, first.pk], by=make_admin())

        self.assertEqual(list(ComponentGroup.objects.all()), [second, first])
        with self.assertRaises(PermissionRefused):
            components.reorder_groups([first.pk, second.pk], by=make_responder())


class StatusTests(TestCase):
    def test_it_is_the_worst_of_what_is_open(self):
        website, _api = make_component(), make_component("API")
        make_public_incident(components=[website], impact="degraded")
        make_public_incident(components=[website], impact="partial_outage")
        make_public_incident(components=[website], impact="major_outage", state="resolved")

        self.assertEqual(components.statuses(), {website.pk: "partial_outage"})
