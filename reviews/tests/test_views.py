import csv
import datetime as dt
import io
from typing import Any
from unittest import skipUnless

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.text.encodings import BYTE_ORDER_MARK
from incidents.services import comment
from incidents.tests.factories import make_incident, make_team
from reviews.models import ActionItem, Review, ReviewRule
from reviews.services.editing import edit_review
from reviews.services.items import edit_item
from reviews.tests.factories import complete, make_item, make_review, make_rule
from users.tests.factories import client_of, make_admin, make_responder

REVIEWS, ITEMS = "/api/v1/reviews/", "/api/v1/action-items/"
PAST = dt.date(2026, 1, 1)


class ReviewViewTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.ada = make_admin(), make_responder(name="Ada")
        self.team = make_team("Web", self.ada)
        self.incident = make_incident(by=self.admin, title="Shop down", team=self.team)
        self.api = client_of(self.ada)

    def start(self) -> dict[str, Any]:
        answer = self.api.post(REVIEWS, {"incident": self.incident.reference}, "json")
        self.assertEqual(answer.status_code, 201, answer.content)
        return answer.json()

    def url(self, review: dict[str, Any] | Review, rest: str = "") -> str:
        return f"{REVIEWS}{review['id'] if isinstance(review, dict) else review.pk}/{rest}"

    def test_it_starts_a_review_and_shows_it_in_full(self) -> None:
        shown = self.start()

        self.assertEqual(shown["incident"]["reference"], self.incident.reference)
        self.assertEqual((shown["state"], shown["owner"]["name"], shown["version"]), ("draft", "Ada", 1))
        self.assertEqual([moment["text"] for moment in shown["moments"]], [f"{self.admin.name} reported the incident."])
        self.assertEqual(shown["moments"][0]["event"], self.incident.events.get(seq=1).pk)
        self.assertEqual(shown["missing"], ["Write what happened.", "Name at least one contributing factor."])
        self.assertEqual((shown["can_edit"], shown["allowed_states"]), (True, ["in_review"]))
        answer = self.api.post(REVIEWS, {"incident": self.incident.pk}, "json")
        self.assertEqual((answer.status_code, answer.json()["review"]), (409, shown["id"]))

    def test_it_edits_moves_and_completes(self) -> None:
        review = self.start()
        self.api.post(self.url(review, "factors/"), {"text": "Nobody watched it"}, "json")

        first = self.api.patch(self.url(review), {"summary": "It broke.", "state": "in_review"}, "json")
        second = self.api.patch(self.url(review), {"state": "completed"}, "json")
        third = self.api.patch(self.url(review), {"summary": "x"}, "json")
        fourth = self.api.patch(self.url(review), {"state": "draft", "summary": "Better."}, "json")

        self.assertEqual([one.status_code for one in (first, second, third, fourth)], [200, 200, 409, 200])
        self.assertEqual((fourth.json()["state"], fourth.json()["summary"]), ("draft", "Better."))

    def test_it_says_what_lacks(self) -> None:
        review = self.start()
        self.api.patch(self.url(review), {"state": "in_review"}, "json")

        answer = self.api.patch(self.url(review), {"state": "completed"}, "json").json()

        self.assertEqual((answer["code"], len(answer["missing"])), ("incomplete", 2))

    def test_it_keeps_what_somebody_else_saved(self) -> None:
        review = self.start()
        read = self.api.get(self.url(review))
        edit_review(Review.objects.get(), by=self.admin, changes={"summary": "Theirs"})

        by_tag = self.api.patch(self.url(review), {"summary": "Mine"}, "json", headers={"If-Match": read["ETag"]})
        by_field = self.api.patch(self.url(review), {"summary": "Mine", "version": 1}, "json")

        self.assertEqual((by_tag.status_code, by_tag.json()["code"]), (412, "stale_version"))
        self.assertEqual((by_field.status_code, by_field.json()["code"]), (409, "stale_version"))
        self.assertEqual(Review.objects.get().summary, "Theirs")

    def test_it_refuses_unknown_fields_and_filters(self) -> None:
        review = self.start()

        self.assertEqual(self.api.patch(self.url(review), {"sumary": "x"}, "json").status_code, 400)
        self.assertEqual(self.api.get(REVIEWS, {"stat": "draft"}).status_code, 400)
        self.assertEqual(self.api.get(ITEMS, {"overdu": "true"}).status_code, 400)
        self.assertEqual(self.api.get(ITEMS, {"due_before": "soon"}).status_code, 400)
        self.assertEqual(self.api.get(ITEMS, {"owner": "you"}).status_code, 400)

    def test_it_filters(self) -> None:
        mine = make_review(self.incident, by=self.ada)
        other = make_review(make_incident(by=self.admin), by=self.admin)
        late = timezone.now() - dt.timedelta(days=1)
        Review.objects.filter(pk=other.pk).update(due_at=late, rule=make_rule())
        table: list[tuple[dict[str, Any], list[Review]]] = [
            ({}, [other, mine]),
            ({"owner": "me"}, [mine]),
            ({"owner": "none"}, []),
            ({"team": "mine"}, [mine]),
            ({"team": self.team.pk}, [mine]),
            ({"team": "none"}, [other]),
            ({"overdue": "true"}, [other]),
            ({"overdue": "false"}, [mine]),
            ({"required": "true"}, [other]),
            ({"incident": self.incident.reference}, [mine]),
            ({"state": "draft,in_review"}, [other, mine]),
            ({"state": "completed"}, []),
            ({"q": "shop"}, [mine]),
            ({"ordering": "due_at"}, [mine, other]),
        ]

        for query, expected in table:
            with self.subTest(query):
                found = self.api.get(REVIEWS, query).json()["results"]
                self.assertEqual([one["id"] for one in found], [one.pk for one in expected])

    def test_it_pages_by_date(self) -> None:
        for number in range(4):
            review = make_review(make_incident(by=self.admin), by=self.admin)
            due = timezone.now() + dt.timedelta(days=number) if number else None
            Review.objects.filter(pk=review.pk).update(due_at=due)
        found, url = [], f"{REVIEWS}?ordering=due_at&page_size=1"
        while url:
            page = self.api.get(url).json()
            found += [one["id"] for one in page["results"]]
            url = page["next"]

        self.assertEqual(found, list(Review.objects.order_by("pk").values_list("pk", flat=True)))

    def test_lists_and_pages_cost_the_same_for_any_number(self) -> None:
        for _ in range(2):
            make_item(make_review(make_incident(by=self.admin), by=self.admin), owner=self.ada, due_on=PAST)
        review = Review.objects.first()
        urls = (REVIEWS, ITEMS, self.url(review), self.url(review, "moments/"), f"{ITEMS}summary/")

        for url in urls:
            with self.subTest(url):
                self.api.get(url)
                before = self._queries(url)
                for _ in range(3):
                    make_item(review, owner=self.ada, due_on=PAST)
                    comment(review.incident, "More", by=self.admin)
                    make_item(make_review(make_incident(by=self.admin), by=self.admin), owner=self.admin)

                self.assertEqual(self._queries(url), before)

    def _queries(self, url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(self.api.get(url).status_code, 200)
        return len(queries)

    def test_it_adds_moments_of_the_timeline(self) -> None:
        review = self.start()
        event = comment(self.incident, "The disk was full.", by=self.admin)

        answer = self.api.post(self.url(review, "moments/from-timeline/"), {"events": [event.pk]}, "json")

        self.assertEqual((answer.status_code, answer.json()[0]["event"]), (201, event.pk))

    def test_it_takes_moments_with_their_events(self) -> None:
        review = self.start()
        event = self.incident.events.get(seq=1)
        own = {"at": self.incident.created_at, "text": "Mine", "event": event.pk}

        added = self.api.post(self.url(review, "moments/"), own, "json")
        changed = self.api.patch(self.url(review, f"moments/{added.json()['id']}/"), {"event": None}, "json")
        foreign = make_incident().events.get().pk
        refused = self.api.post(self.url(review, "moments/"), {**own, "event": foreign}, "json")

        self.assertEqual((added.json()["event"], changed.json()["event"]), (event.pk, None))
        self.assertEqual((refused.status_code, refused.json()["errors"][0]["field"]), (400, "event"))


@skipUnless(connection.vendor == "sqlite", "the plan is SQLite's")
class VisibleRowsTests(TestCase):
    def test_it_reads_the_newest_without_sorting_all(self) -> None:
        for user in (make_admin(), make_responder()):
            for rows in (Review.objects.visible_to(user), ActionItem.objects.visible_to(user)):
                with self.subTest(user=user, rows=rows.model):
                    self.assertNotIn("TEMP B-TREE FOR ORDER BY", rows.order_by("-id")[:50].explain())


class ActionItemViewTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.ada = make_admin(name="Alice"), make_responder(name="Ada")
        self.team = make_team("Web", self.ada)
        self.review = make_review(make_incident(by=self.admin, team=self.team), by=self.admin)
        self.late = make_item(self.review, title="=HYPERLINK(1)", owner=self.ada, due_on=PAST)
        self.free = make_item(self.review, title="Later", description="a\nb")
        done = make_item(self.review, title="Done", owner=self.ada, due_on=PAST)
        edit_item(done, by=self.admin, changes={"state": "done"})
        self.api = client_of(self.ada)

    def found(self, **query: Any) -> list[str]:
        answer = self.api.get(ITEMS, query)
        self.assertEqual(answer.status_code, 200, answer.content)
        return sorted(one["title"] for one in answer.json()["results"])

    def test_it_filters(self) -> None:
        formula, later, done = "=HYPERLINK(1)", "Later", "Done"
        table: list[tuple[dict[str, Any], list[str]]] = [
            ({"owner": "me"}, [formula, done]),
            ({"owner": "none"}, [later]),
            ({"owner": self.admin.pk}, []),
            ({"overdue": "true"}, [formula]),
            ({"overdue": "false"}, [later, done]),
            ({"is_open": "true"}, [formula, later]),
            ({"state": "done,dropped"}, [done]),
            ({"due_before": "2026-01-02"}, [formula, done]),
            ({"due_after": "2026-01-02"}, []),
            ({"review": self.review.pk}, [formula, later, done]),
            ({"team": "mine"}, [formula, later, done]),
            ({"q": "late"}, [later]),
            ({"ordering": "-due_on"}, [formula, later, done]),
        ]

        for query, expected in table:
            with self.subTest(query):
                self.assertEqual(self.found(**query), sorted(expected))

    def test_it_pages_by_date(self) -> None:
        found, url = [], f"{ITEMS}?page_size=1"
        while url:
            page = self.api.get(url).json()
            found += [one["title"] for one in page["results"]]
            url = page["next"]

        self.assertEqual(found, ["Later", "=HYPERLINK(1)", "Done"])

    def test_it_counts_by_owner_and_team(self) -> None:
        self.assertEqual(
            self.api.get(f"{ITEMS}summary/").json(),
            {
                "open": 2,
                "overdue": 1,
                "oldest": "2026-01-01",
                "by_owner": [
                    {"id": self.ada.pk, "name": "Ada", "open": 1, "overdue": 1, "oldest": "2026-01-01"},
                    {"id": None, "name": "", "open": 1, "overdue": 0, "oldest": None},
                ],
                "by_team": [{"id": self.team.pk, "name": "Web", "open": 2, "overdue": 1, "oldest": "2026-01-01"}],
            },
        )

    def test_it_exports_for_trackers(self) -> None:
        answer = self.api.get(f"{ITEMS}export/", {"is_open": "true"})

        text = b"".join(answer.streaming_content).decode().removeprefix(BYTE_ORDER_MARK)
        header, first, second = csv.reader(io.StringIO(text))
        self.assertEqual(header, ["Summary", "Description", "Assignee", "Due date", "Labels"])
        label = f"post-incident-review INC-{self.review.incident_id}"
        self.assertEqual(first, ["'=HYPERLINK(1)", "", self.ada.email, "2026-01-01", label])
        self.assertEqual(second[:2], ["Later", "a\nb"])

    def test_it_lets_an_owner_of_another_team_say_how_far_it_got(self) -> None:
        ben = make_responder()
        edit_item(self.free, by=self.admin, changes={"owner": ben})
        url = f"{ITEMS}{self.free.pk}/"

        done, renamed = (client_of(ben).patch(url, body, "json") for body in ({"state": "done"}, {"title": "x"}))

        self.assertEqual((done.status_code, renamed.status_code), (200, 403))
        self.assertEqual(done.json()["state"], "done")

    def test_it_deletes_items_of_a_draft_only(self) -> None:
        edit_item(self.free, by=self.admin, changes={"owner": self.ada, "due_on": PAST})
        complete(self.review)

        self.assertEqual(self.api.delete(f"{ITEMS}{self.free.pk}/").status_code, 409)
        self.assertEqual(ActionItem.objects.count(), 3)

    def test_it_hides_those_of_restricted_incidents(self) -> None:
        hidden = make_review(make_incident(by=self.admin, is_restricted=True), by=self.admin)
        item = make_item(hidden, title="Hidden")

        self.assertNotIn("Hidden", self.found())
        self.assertEqual(self.api.get(f"{ITEMS}{item.pk}/").status_code, 404)
        self.assertEqual(self.api.get(f"{ITEMS}summary/").json()["open"], 2)


class ReviewRuleViewTests(TestCase):
    def test_administrators_make_rules(self) -> None:
        api = client_of(make_admin())

        made = api.post("/api/v1/review-rules/", {"name": "Criticals", "min_severity": "critical"}, "json")
        wrong = api.post("/api/v1/review-rules/", {"name": "Criticals", "within_days": 0}, "json")

        self.assertEqual((made.status_code, made.json()["within_days"]), (201, 5))
        self.assertEqual({error["field"] for error in wrong.json()["errors"]}, {"name", "within_days"})
        self.assertEqual(ReviewRule.objects.count(), 1)
