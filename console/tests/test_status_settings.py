from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.tests.factories import make_service
from status_page.models import Component, ComponentGroup, StatusPage, Subscriber, UpdateTemplate
from status_page.services.page import new_access_key, the_page
from status_page.services.subscribing import Request, import_subscribers
from status_page.tests.factories import make_component, make_page, make_picture, make_public_incident
from status_page.vocabulary import SubscriberState
from users.tests.factories import make_admin, make_reporter, make_responder

ROOT = "/status-page/"
PAGE = {"name": "Acme status", "language_0": "en", "language_1": "de", "time_zone": "Europe/Berlin"}


class SettingsCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(name="Ada")
        make_page()

    def setUp(self) -> None:
        self.client.force_login(self.admin)

    def send(self, path: str, **values: Any) -> Any:
        return self.client.post(ROOT + path, values)


class AudienceTests(SettingsCase):
    def test_it_is_for_administrators(self) -> None:
        make_component()
        paths = ["components/", "components/new/", "components/1/", "groups/new/", "templates/", "settings/"]
        paths += ["subscribers/", "subscribers/import/", "settings/key/", "settings/logo.png", "components/order/"]
        for user in (make_reporter(), make_responder()):
            self.client.force_login(user)
            for path in paths:
                with self.subTest(path, role=user.role):
                    self.assertEqual(self.client.get(ROOT + path).status_code, 403)
                    self.assertEqual(self.send(path, name="x").status_code, 403)


class ComponentTests(SettingsCase):
    def test_it_makes_changes_and_deletes_a_component(self) -> None:
        service = make_service()
        form = {"name": "Website", "name_de": "Webseite", "new_group": "Shop", "service": service.pk, "is_active": "on"}

        self.send("components/new/", **form)

        made = Component.objects.get()
        self.assertEqual((made.group and made.group.name, made.service, made.shows_uptime), ("Shop", service, False))
        self.assertEqual(made.translations, {"de": {"name": "Webseite"}})
        self.assertContains(self.client.get(f"{ROOT}components/{made.pk}/"), "Webseite")
        self.send(f"components/{made.pk}/", name="Site", group="", is_active="on", shows_uptime="on")
        made.refresh_from_db()
        self.assertEqual((made.name, made.group, made.service, made.translations), ("Site", None, None, {}))
        self.send(f"components/{made.pk}/delete/")
        self.assertFalse(Component.objects.exists())

    def test_it_keeps_a_component_with_a_history(self) -> None:
        component = make_component()
        make_public_incident(components=[component])

        self.assertEqual(self.send(f"components/{component.pk}/delete/").status_code, 409)

    def test_it_says_what_somebody_else_changed(self) -> None:
        component = make_component("Website")
        seen = self.client.get(f"{ROOT}components/{component.pk}/").context["form"]["seen"].value()
        Component.objects.update(description="Theirs")

        page = self.send(f"components/{component.pk}/", name="Mine", seen=seen)

        self.assertContains(page, "Somebody changed this", status_code=422)

    def test_it_makes_changes_and_deletes_a_group(self) -> None:
        self.send("groups/new/", name="Shop", name_de="Laden")
        group = ComponentGroup.objects.get()
        self.assertEqual(group.translations, {"de": {"name": "Laden"}})

        self.send(f"groups/{group.pk}/", name="Store", name_de="")
        group.refresh_from_db()
        self.assertEqual((group.name, group.translations), ("Store", {}))
        self.assertEqual(self.send("groups/new/", name="store").status_code, 422)

        self.send(f"groups/{group.pk}/delete/")
        self.assertFalse(ComponentGroup.objects.exists())

    def test_it_orders_within_a_group_and_leaves_the_others(self) -> None:
        one, other, two = make_component("One", group="A"), make_component("Other"), make_component("Two", group="A")

        self.send("components/order/", ids=[one.pk, two.pk], up=two.pk)

        self.assertEqual([row.name for row in Component.objects.all()], ["Two", "Other", "One"])
        dragged = self.client.post(
            f"{ROOT}components/order/", {"ids": [one.pk, two.pk]}, headers={"HX-Request": "true"}
        )
        self.assertEqual(dragged.status_code, 204)
        self.assertEqual([row.name for row in Component.objects.all()], ["One", "Other", "Two"])
        for ids in ([one.pk, one.pk], ["x"], [999]):
            self.assertEqual(self.send("components/order/", ids=ids).status_code, 400)
        self.assertEqual(other.position, 1)

    def test_it_orders_groups(self) -> None:
        groups = [ComponentGroup.objects.create(name=name, position=place) for place, name in enumerate("AB")]

        self.send("groups/order/", ids=[group.pk for group in groups], down=groups[0].pk)

        self.assertEqual([group.name for group in ComponentGroup.objects.all()], ["B", "A"])


class PageTests(SettingsCase):
    def test_it_changes_name_languages_and_zone(self) -> None:
        form = {**PAGE, "language_0": "de", "language_1": "", "language_2": "en", "name_de": "Zustand"}

        self.send("settings/", **form, takes_subscribers="on", support_url="https://help.example/")

        page = the_page()
        self.assertEqual((page.name, page.languages), ("Acme status", ["de", "en"]))
        self.assertEqual((page.time_zone, page.takes_subscribers, page.translations), ("Europe/Berlin", True, {}))

    def test_it_keeps_translations_of_languages_that_stay(self) -> None:
        self.send("settings/", **PAGE, name_de="Acme Zustand")

        self.assertEqual(the_page().translations, {"de": {"name": "Acme Zustand"}})
        self.assertContains(self.client.get(f"{ROOT}settings/"), "Acme Zustand")

    def test_it_becomes_private_with_a_key_alone(self) -> None:
        refused = self.send("settings/", **PAGE, is_private="on")
        self.assertContains(refused, "Create an access key first", status_code=422)

        shown = self.send("settings/key/")
        self.assertContains(shown, shown.context["key"])
        self.assertNotContains(self.client.get(f"{ROOT}settings/"), shown.context["key"])

        self.send("settings/", **PAGE, is_private="on")
        self.assertTrue(the_page().is_private)
        self.assertContains(self.client.get(ROOT), "/status-access/")

    def test_it_makes_no_key_for_who_comes_back_to_its_address(self) -> None:
        answer = self.client.get(f"{ROOT}settings/key/")

        self.assertRedirects(answer, f"{ROOT}settings/")
        self.assertEqual(the_page().access_digest, "")

    def test_it_takes_and_removes_a_logo(self) -> None:
        self.assertEqual(self.client.get(f"{ROOT}settings/logo.png").status_code, 404)

        self.send("settings/logo/", logo=SimpleUploadedFile("x.png", make_picture()))

        picture = self.client.get(f"{ROOT}settings/logo.png")
        self.assertEqual((picture["Content-Type"], picture.content[:4]), ("image/png", b"\x89PNG"))
        wrong = self.send("settings/logo/", logo=SimpleUploadedFile("x.png", b"<svg>"))
        self.assertContains(wrong, "A logo is a PNG", status_code=422)
        self.send("settings/logo/", remove="1")
        self.assertEqual(bytes(the_page().logo), b"")

    def test_it_says_what_somebody_else_changed(self) -> None:
        seen = self.client.get(f"{ROOT}settings/").context["form"]["seen"].value()
        StatusPage.objects.update(name="Theirs")

        self.assertContains(self.send("settings/", **PAGE, seen=seen), "Somebody changed this", status_code=422)

    def test_it_keeps_the_key_when_the_page_is_saved(self) -> None:
        new_access_key(by=self.admin)
        before = the_page().access_digest

        self.send("settings/", **PAGE)

        self.assertEqual(the_page().access_digest, before)


class TemplateTests(SettingsCase):
    def test_it_makes_changes_and_deletes_a_template(self) -> None:
        form = {"name": "Payments", "kind": "incident", "state": "investigating", "message_de": "Wir suchen."}

        self.send("templates/new/", **form)

        made = UpdateTemplate.objects.get()
        self.assertEqual((made.state, made.translations), ("investigating", {"de": {"message": "Wir suchen."}}))
        self.assertEqual(self.send(f"templates/{made.pk}/", **{**form, "kind": "maintenance"}).status_code, 422)
        self.send(f"templates/{made.pk}/", **{**form, "name": "Cards"})
        self.assertContains(self.client.get(f"{ROOT}templates/"), "Cards")
        self.send(f"templates/{made.pk}/delete/")
        self.assertFalse(UpdateTemplate.objects.exists())


class SubscriberTests(SettingsCase):
    def add(self, *emails: str) -> None:
        import_subscribers([Request(email) for email in emails], by=self.admin, now=timezone.now())

    def test_it_searches_and_narrows(self) -> None:
        self.add("ann@a.example", "ben@b.example")
        Subscriber.objects.filter(email="ben@b.example").update(state=SubscriberState.UNSUBSCRIBED)

        for query, emails in (
            ({}, ["ben@b.example", "ann@a.example"]),
            ({"q": "ANN@"}, ["ann@a.example"]),
            ({"state": "unsubscribed"}, ["ben@b.example"]),
            ({"q": "ann", "state": "unsubscribed"}, []),
        ):
            with self.subTest(query):
                page = self.client.get(f"{ROOT}subscribers/", query)
                self.assertEqual([row.email for row, _language in page.context["subscribers"]], emails)
        for query in ({"state": "odd"}, {"nonsense": "1"}):
            self.assertEqual(self.client.get(f"{ROOT}subscribers/", query).status_code, 400)

    def test_it_unsubscribes_one(self) -> None:
        self.add("ann@a.example")
        row = Subscriber.objects.get()

        self.send(f"subscribers/{row.pk}/end/")

        row.refresh_from_db()
        self.assertEqual(row.state, SubscriberState.UNSUBSCRIBED)
        self.assertEqual(self.send(f"subscribers/{10**19}/end/").status_code, 404)

    def test_it_imports_pasted_rows_once(self) -> None:
        website, api = make_component("Website"), make_component("API")
        rows = "email,language,components\nann@a.example, de, website; API\n\nben@b.example\n"

        self.send("subscribers/import/", rows=rows, has_consent="on")

        ann, ben = Subscriber.objects.order_by("email")
        self.assertEqual((ann.language, set(ann.components.all())), ("de", {website, api}))
        self.assertEqual((ben.language, ben.components.count(), ben.state), ("en", 0, SubscriberState.ACTIVE))
        again = self.client.post(f"{ROOT}subscribers/import/", {"rows": rows, "has_consent": "on"}, follow=True)
        self.assertContains(again, "2 addresses were known")

    def test_it_imports_a_file(self) -> None:
        file = SimpleUploadedFile("list.csv", "\ufeffzoë@a.example\nann@a.example".encode())

        answer = self.send("subscribers/import/", file=file, has_consent="on")

        self.assertIn(answer.status_code, (302, 422))
        self.assertEqual(
            self.send("subscribers/import/", file=SimpleUploadedFile("x", b"\xff"), has_consent="on").status_code, 422
        )

    def test_it_imports_nobody_without_consent_or_with_a_fault(self) -> None:
        for form, said in (
            ({"rows": "ann@a.example"}, "Without their consent"),
            ({"rows": "", "has_consent": "on"}, "Paste at least one address"),
            ({"rows": "ann@a.example\nnobody", "has_consent": "on"}, "Subscriber 2"),
            ({"rows": "ann@a.example,en,Nothing", "has_consent": "on"}, "Line 1: there is no component Nothing."),
        ):
            with self.subTest(said):
                self.assertContains(self.send("subscribers/import/", **form), said, status_code=422)
        self.assertFalse(Subscriber.objects.exists())


class CostTests(SettingsCase):
    def test_it_asks_a_constant_number_of_questions(self) -> None:
        def counts() -> list[int]:
            found = []
            for path in ("components/", "templates/", "subscribers/", "settings/"):
                with CaptureQueriesContext(connection) as captured:
                    self.assertEqual(self.client.get(ROOT + path).status_code, 200)
                found.append(len(captured))
            return found

        self.fill(1)
        before = counts()
        for number in range(2, 9):
            self.fill(number)
        self.assertEqual(counts(), before)
        self.assertLessEqual(max(before), 16)

    def fill(self, number: int) -> None:
        make_component(f"Part {number}", group=f"Group {number}")
        UpdateTemplate.objects.create(name=f"Text {number}")
        import_subscribers([Request(f"a{number}@a.example")], by=self.admin, now=timezone.now())
