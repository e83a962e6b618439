from django.test import TestCase
from django.urls import reverse

from console.models import SavedView
from users.tests.factories import client_of, make_reporter, make_responder

VIEWS = reverse("saved-view-list")


class SavedViewApiTests(TestCase):
    def test_it_keeps_a_persons_views(self):
        client = client_of(make_responder())

        created = client.post(VIEWS, {"name": "Mine", "query": "?assignee=me&cursor=x", "is_default": True})
        changed = client.patch(reverse("saved-view-detail", args=[created.data["id"]]), {"name": "All of mine"})

        self.assertEqual((created.status_code, created.data["query"]), (201, "assignee=me"))
        self.assertEqual((changed.data["name"], changed.data["is_default"]), ("All of mine", True))
        self.assertEqual([view["name"] for view in client.get(VIEWS).data["results"]], ["All of mine"])

    def test_it_has_one_default(self):
        user = make_responder()
        client = client_of(user)
        for name in ("One", "Two"):
            client.post(VIEWS, {"name": name, "is_default": True})

        self.assertEqual(list(SavedView.objects.filter(is_default=True).values_list("name", flat=True)), ["Two"])

    def test_it_refuses_what_the_list_does_not_know(self):
        response = client_of(make_responder()).post(VIEWS, {"name": "Odd", "query": "colour=red"})

        self.assertEqual((response.status_code, response.data["errors"][0]["field"]), (400, "colour"))

    def test_it_hides_others_views(self):
        view = SavedView.objects.create(user=make_responder(), name="Private")
        address = reverse("saved-view-detail", args=[view.pk])

        for method in ("get", "patch", "put", "delete"):
            with self.subTest(method=method):
                response = getattr(client_of(make_reporter()), method)(address, {"name": "Taken"})

                self.assertEqual(response.status_code, 404)
        self.assertEqual(SavedView.objects.get().name, "Private")

    def test_it_refuses_names_that_cannot_be_shown(self):
        user = make_responder()
        self.client.force_login(user)
        for name in ("x" * 61, "a\u202eb", "a\0b"):
            with self.subTest(name=name):
                self.assertEqual(client_of(user).post(VIEWS, {"name": name}).status_code, 400)
                self.assertEqual(self.client.post(reverse("console:incidents-views"), {"name": name}).status_code, 400)
        self.assertFalse(SavedView.objects.exists())
