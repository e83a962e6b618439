"""Pages, nights and repeats per person, against a count by hand."""

import datetime as dt
import random
from collections import Counter
from zoneinfo import ZoneInfo

from django.test import TestCase

from incidents.models import Incident
from incidents.services import update
from incidents.tests.factories import make_incident
from paging.models import Page
from paging.services import load
from users.models import User
from users.tests.factories import make_admin, make_responder

START = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)  # Zurich's clocks change on 29 March
END = START + dt.timedelta(days=14)
ZONES = ("UTC", "Europe/Zurich", "Asia/Kathmandu", "America/St_Johns")


def make_page(incident: Incident, user: User | None, at: dt.datetime) -> Page:
    number = Page.objects.count()
    return Page.objects.create(
        incident=incident,
        user=user,
        target_kind="user",
        target_id=user.pk if user else 1,
        target_name=str(user or "#room"),
        why="Step 1",
        key=f"page-{number}",
        created_at=at,
    )


class LoadTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        chance = random.Random(7)
        cls.people = [make_responder() for _ in ZONES]
        for person, zone in zip(cls.people, ZONES, strict=True):
            User.objects.filter(pk=person.pk).update(time_zone=zone)
        cls.incidents = [make_incident() for _ in range(6)]
        cls.hidden = update(make_incident(), by=None, fields={"is_restricted": True})
        for _ in range(150):
            at = START + dt.timedelta(minutes=chance.randint(-3000, 14 * 1440 + 3000))
            make_page(chance.choice([*cls.incidents, cls.hidden]), chance.choice([None, *cls.people]), at)

    def by_hand(self, viewer: User) -> dict[int, tuple[int, int, int, int]]:
        found: dict[int, list[Page]] = {}
        for page in Page.objects.order_by("created_at", "pk").select_related("user"):
            is_seen = viewer.is_admin or page.incident_id != self.hidden.pk
            if page.user_id and is_seen and START <= page.created_at < END:
                found.setdefault(page.user_id, []).append(page)
        return {user_id: self.figures(pages) for user_id, pages in found.items()}

    def figures(self, pages: list[Page]) -> tuple[int, int, int, int]:
        walls = [page.created_at.astimezone(ZoneInfo(page.user.time_zone)) for page in pages if page.user]
        evenings = [(wall - dt.timedelta(hours=12)).date() for wall in walls if wall.hour >= 22 or wall.hour < 6]
        per_incident = Counter(page.incident_id for page in pages)
        return len(pages), len(evenings), len(set(evenings)), sum(count - 1 for count in per_incident.values())

    def test_it_equals_the_rows_of_what_the_viewer_sees(self) -> None:
        for viewer in (make_admin(), make_responder()):
            with self.subTest(viewer.role):
                found = load.people_paged(Incident.objects.visible_to(viewer), START, END)

                figures = {one.user_id: (one.pages, one.night_pages, len(one.nights), one.repeats) for one in found}
                self.assertEqual(figures, self.by_hand(viewer))
                self.assertEqual([one.pages for one in found], sorted((one.pages for one in found), reverse=True))

    def test_it_takes_some_people_in_one_query(self) -> None:
        ada = self.people[0]
        visible = Incident.objects.visible_to(make_admin())

        with self.assertNumQueries(1):
            found = load.people_paged(visible, START, END, user_ids={ada.pk})

        self.assertEqual([one.user_id for one in found], [ada.pk])

    def test_a_night_belongs_to_the_evening_on_which_it_began(self) -> None:
        for hour, zone, expected in (
            (1, "UTC", dt.date(2026, 3, 19)),
            (6, "UTC", None),
            (22, "UTC", dt.date(2026, 3, 20)),
            (21, "Europe/Zurich", dt.date(2026, 3, 20)),
            (21, "America/New_York", None),
        ):
            with self.subTest(hour=hour, zone=zone):
                self.assertEqual(load.night_of(START + dt.timedelta(hours=hour), zone), expected)
