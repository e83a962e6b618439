import base64
import datetime as dt
import json

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.severity import Severity
from incidents import services
from incidents.tests.factories import make_incident, make_team
from reviews.models import ActionItem, Review
from reviews.tests.factories import complete, make_item, make_review
from users.tests.factories import make_admin, make_responder

REVIEWS, ITEMS = "/reviews/", "/reviews/action-items/"


class ReviewListCase(TestCase):
    def setUp(self) -> None:
        self.admin, self.ben, self.other = make_admin(), make_responder(name="Ben"), make_responder(name="Otto")
        self.team = make_team("Plumbing", self.ben)
        self.client.force_login(self.ben)

    def incident(self, title: str = "Flood", **fields: object) -> object:
        return make_incident(by=self.admin, title=title, **{"team": self.team, **fields})

    def review(self, title: str, **fields: object) -> Review:
        review = make_review(self.incident(title), by=self.admin, owner=fields.pop("owner", self.other))
        if fields:
            Review.objects.filter(pk=review.pk).update(**fields)
            review.refresh_from_db()
        return review

    def titles(self, address: str) -> list[str]:
        page = self.client.get(address)
        self.assertEqual(page.status_code, 200, address)
        return [review.incident.title for review, _items, _late in page.context["rows"]]

    def cost(self, address: str) -> int:
        self.client.get(address)
        with CaptureQueriesContext(connection) as spent:
            self.assertEqual(self.client.get(address).status_code, 200)
        return len(spent)


class ListTests(ReviewListCase):
    def test_it_leads_to_what_is_mine_or_open(self) -> None:
        self.assertEqual(self.client.get(REVIEWS)["Location"], f"{REVIEWS}?state=draft%2Cin_review")
        self.review("Mine", owner=self.ben)

        self.assertIn("owner=me", self.client.get(REVIEWS)["Location"])

    def test_it_shows_each_tab(self) -> None:
        now = timezone.now()
        self.review("Mine", owner=self.ben)
        self.review("Late", due_at=now - dt.timedelta(days=1))
        self.review("Far", due_at=now + dt.timedelta(days=30))
        complete(self.review("Done", due_at=now - dt.timedelta(days=9)), by=self.admin)

        page = self.client.get(f"{REVIEWS}?state=draft")

        found = {name: self.titles(f"{REVIEWS}?{query}") for name, _label, query in page.context["tabs"]}
        self.assertEqual(
            found,
            {
                "mine": ["Mine"],
                "open": ["Far", "Late", "Mine"],
                "overdue": ["Late"],
                "completed": ["Done"],
                "all": ["Done", "Far", "Late", "Mine"],
            },
        )
        for name, _label, query in page.context["tabs"]:
            self.assertEqual(self.client.get(f"{REVIEWS}?{query}").context["tab"], name)

    def test_it_narrows_by_team_and_words(self) -> None:
        self.review("Flood")
        make_review(make_incident(by=self.admin, title="Fire"), by=self.admin)

        self.assertEqual(self.titles(f"{REVIEWS}?state=draft&team=mine"), ["Flood"])
        self.assertEqual(self.titles(f"{REVIEWS}?state=draft&q=fire"), ["Fire"])
        empty = self.client.get(f"{REVIEWS}?state=draft%2Cin_review&q=nothing")
        self.assertContains(empty, "No review matches these filters.")

    def test_it_refuses_damaged_cursors(self) -> None:
        for value in ("no date", 5, "2026-02-31"):
            with self.subTest(value):
                told = json.dumps(["n", ["due_on", "id"], value, 1]).encode()
                token = base64.urlsafe_b64encode(told).decode().rstrip("=")

                self.assertEqual(self.client.get(f"{ITEMS}?cursor={token}").status_code, 400)

    def test_it_refuses_unknown_filters(self) -> None:
        for query in ("nonsense=1", "state=gone", "owner=x", "overdue=maybe"):
            for address in (REVIEWS, ITEMS):
                with self.subTest(query, address=address):
                    self.assertEqual(self.client.get(f"{address}?{query}").status_code, 400)

    def test_it_costs_the_same_for_any_length(self) -> None:
        make_item(self.review("One", owner=self.ben), by=self.admin)
        address = f"{REVIEWS}?state=draft"
        first = self.cost(address)
        for number in range(12):
            make_item(self.review(f"More {number}"), by=self.admin)

        self.assertEqual(self.cost(address), first)

    def test_it_counts_open_action_items(self) -> None:
        review = self.review("Flood")
        make_item(review, by=self.admin)
        done = make_item(review, by=self.admin)
        ActionItem.objects.filter(pk=done.pk).update(state="done")

        [(_review, count, _late)] = self.client.get(f"{REVIEWS}?state=draft").context["rows"]

        self.assertEqual(count, 1)

    def test_it_offers_grave_incidents_without_a_review(self) -> None:
        for title, severity, ends in (("Grave", 4, True), ("Slight", 1, True), ("Running", 4, False)):
            incident = self.incident(title, severity=Severity(severity))
            if ends:
                services.transition(incident, "resolved", by=self.ben)
        address = f"{REVIEWS}?state=draft%2Cin_review"

        self.assertEqual([one.title for one in self.client.get(address).context["unreviewed"]], ["Grave"])
        self.client.force_login(self.other)
        self.assertEqual(self.client.get(address).context["unreviewed"], [])


class ItemTests(ReviewListCase):
    def setUp(self) -> None:
        super().setUp()
        self.flood = self.review("Flood", owner=self.admin)

    def item(self, title: str, **fields: object) -> ActionItem:
        state = fields.pop("state", "open")
        item = make_item(self.flood, by=self.admin, title=title, **fields)
        ActionItem.objects.filter(pk=item.pk).update(state=state)
        return item

    def items(self, query: str) -> list[str]:
        return [row.item.title for row in self.client.get(f"{ITEMS}?{query}").context["rows"]]

    def test_it_shows_each_tab(self) -> None:
        today = timezone.localdate()
        self.item("Mine", owner=self.ben, due_on=today + dt.timedelta(days=3))
        self.item("Late", owner=self.other, due_on=today - dt.timedelta(days=3))
        self.item("Done", owner=self.other, due_on=today - dt.timedelta(days=9), state="done")

        page = self.client.get(ITEMS, follow=True)

        self.assertEqual(page.context["tab"], "mine")
        found = {name: self.items(query) for name, _label, query in page.context["tabs"]}
        self.assertEqual(
            found,
            {
                "mine": ["Mine"],
                "open": ["Late", "Mine"],
                "overdue": ["Late"],
                "done": ["Done"],
                "all": ["Done", "Late", "Mine"],
            },
        )

    def test_it_pages_in_the_order_of_due_dates(self) -> None:
        for number, day in enumerate((3, 1, 2, 1)):
            self.item(f"Item {number}", due_on=dt.date(2026, 3, day))
        self.item("Some day")

        found, address = [], f"{ITEMS}?state=open&page_size=2"
        while address:
            page = self.client.get(address)
            found += [row.item.title for row in page.context["rows"]]
            address = page.context["pages"]["next"]

        self.assertEqual(found, ["Some day", "Item 1", "Item 3", "Item 2", "Item 0"])

    def test_it_reports_what_is_overdue_by_owner(self) -> None:
        old = timezone.localdate() - dt.timedelta(days=20)
        for number in range(3):
            self.item(f"Late {number}", owner=self.other, due_on=old + dt.timedelta(days=number))
        self.item("Nobody's", due_on=old + dt.timedelta(days=5))

        page = self.client.get(f"{ITEMS}?overdue=true")

        self.assertEqual(
            [(one["name"], one["overdue"], one["oldest"]) for one in page.context["owners"]],
            [("Otto", 3, old), ("", 1, old + dt.timedelta(days=5))],
        )
        self.assertEqual(self.items("overdue=true&owner=none"), ["Nobody's"])

    def test_it_costs_the_same_for_any_length(self) -> None:
        self.item("One", owner=self.ben, due_on=dt.date(2026, 1, 1))
        first = {query: self.cost(f"{ITEMS}?{query}") for query in ("state=open", "overdue=true")}
        for number in range(12):
            review = self.review(f"Other {number}")
            make_item(review, by=self.admin, owner=self.other, due_on=dt.date(2026, 1, 1))

        self.assertEqual({query: self.cost(f"{ITEMS}?{query}") for query in first}, first)

    def test_it_changes_the_state_in_the_row(self) -> None:
        item = self.item("Buy a pump", owner=self.other)
        address = reverse("console:action-item-state", args=[item.pk])
        self.client.force_login(self.other)  # of another team, and its owner

        answer = self.client.post(address, {"state": "done", "next": f"{ITEMS}?owner=me"})

        item.refresh_from_db()
        self.assertEqual((answer["Location"], item.state), (f"{ITEMS}?owner=me", "done"))
        self.assertEqual(self.client.post(address, {"state": "x"}).status_code, 400)
        self.client.force_login(make_responder())
        self.assertEqual(self.client.post(address, {"state": "open"}).status_code, 403)

    def test_it_lets_the_owner_say_how_far_it_got_and_no_more(self) -> None:
        item = self.item("Buy a pump", owner=self.other)
        address = reverse("console:action-item", args=[item.pk])
        self.client.force_login(self.other)

        page = self.client.get(address)
        self.client.post(address, {"state": "in_progress", "url": "https://tracker.example/1", "title": "Nothing"})

        self.assertEqual(set(page.context["form"].fields), {"seen", "state", "url"})
        item.refresh_from_db()
        self.assertEqual((item.state, item.url, item.title), ("in_progress", "https://tracker.example/1", "Buy a pump"))

    def test_it_adds_changes_and_removes(self) -> None:
        add = reverse("console:action-item-add", args=[self.flood.pk])
        self.client.post(
            add, {"title": "Buy a pump", "owner": self.ben.pk, "due_on": "2026-12-01", "url": "", "description": ""}
        )

        item = ActionItem.objects.get()
        self.assertEqual((item.owner, item.due_on), (self.ben, dt.date(2026, 12, 1)))
        address = reverse("console:action-item", args=[item.pk])
        refused = self.client.post(address, {"title": "", "state": "open", "url": "javascript:x"})
        self.assertEqual((refused.status_code, set(refused.context["form"].errors)), (422, {"title"}))
        self.client.post(address, {"title": "Buy two", "state": "open", "owner": "", "due_on": ""})
        item.refresh_from_db()
        self.assertEqual((item.title, item.owner, item.due_on), ("Buy two", None, None))
        self.client.post(reverse("console:action-item-remove", args=[item.pk]))
        self.assertFalse(ActionItem.objects.exists())

    def test_it_refuses_addresses_that_are_no_web_pages(self) -> None:
        item = self.item("Buy a pump")

        answer = self.client.post(
            reverse("console:action-item", args=[item.pk]),
            {"title": item.title, "state": "open", "url": "javascript:alert(1)"},
        )

        self.assertEqual((answer.status_code, set(answer.context["form"].errors)), (422, {"url"}))

    def test_it_exports_without_formulas(self) -> None:
        self.item("=1+1", owner=self.ben, due_on=dt.date(2026, 12, 1))
        self.item("Another", owner=self.other)

        answer = self.client.get(reverse("console:action-items-csv") + "?owner=me")

        text = answer.getvalue().decode()
        self.assertIn(f"'=1+1,,{self.ben.email},2026-12-01,", text)
        self.assertNotIn("Another", text)
        self.assertEqual(self.client.get(reverse("console:action-items-csv") + "?x=1").status_code, 400)

    def test_it_hides_items_of_restricted_incidents(self) -> None:
        item = self.item("Secret")
        services.update(self.flood.incident, by=self.admin, fields={"is_restricted": True}, grants_access=True)
        self.client.force_login(self.other)

        self.assertEqual(self.items("state=open"), [])
        self.assertEqual(self.client.get(reverse("console:action-item", args=[item.pk])).status_code, 404)
        self.assertNotIn("Secret", self.client.get(reverse("console:action-items-csv")).getvalue().decode())
