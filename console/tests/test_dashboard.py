"""The dashboard's pages: who sees what, what numbers lead to, and what they cost."""

import csv
import datetime as dt
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import time_machine
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console import preferences
from console.reporting.cards import CARDS, cards_of
from console.reporting.now import now_of
from console.reporting.remembering import forget
from console.reporting.scope import Scope, scope_of
from incidents.models import Incident
from incidents.services import update
from incidents.tests.factories import make_incident, make_service, make_team
from incidents.tests.test_views_metrics import NOW, LivedInCase
from paging.tests.test_load import make_page
from responders.tests.schedules import layer, make_schedule
from reviews.tests.factories import make_item, make_review
from users.models import User
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

HOME = reverse("console:dashboard")


def listed(person: User, url: str) -> int:
    """How many incidents the list behind a link has."""
    query = dict(parse_qsl(urlsplit(url.replace("&amp;", "&")).query))
    query.pop("ordering", None)
    answer = client_of(person).get("/api/v1/incidents/", {**query, "page_size": "200"}).json()
    return len(answer["results"])


class DashboardCase(TestCase):
    def setUp(self) -> None:
        forget()

    def open(self, viewer: User, url: str = HOME, **parameters: str) -> Any:
        self.client.force_login(viewer)
        return self.client.get(url, parameters)

    def scope(self, viewer: User, **parameters: str) -> Scope:
        return scope_of(viewer, parameters, timezone.now())[0]


class RoleTests(DashboardCase):
    def test_it_opens_for_those_who_respond(self) -> None:
        for person in (make_responder(), make_admin()):
            self.assertContains(self.open(person), "Time to acknowledge")

    def test_it_takes_reporters_to_their_list(self) -> None:
        response = self.open(make_reporter())

        self.assertRedirects(response, reverse("console:incidents"), fetch_redirect_response=False)

    def test_it_refuses_the_rest_of_it_to_reporters(self) -> None:
        reporter = make_reporter()
        for name, args in (
            ("dashboard-now", []),
            ("dashboard-cards", []),
            ("dashboard-csv", ["team"]),
            ("sla-report", []),
            ("sla-csv", []),
            ("pages-report", []),
        ):
            with self.subTest(name):
                self.assertEqual(self.open(reporter, reverse(f"console:{name}", args=args)).status_code, 403)

    def test_it_counts_restricted_incidents_for_those_who_see_them(self) -> None:
        team_member, outsider, admin = make_responder(), make_responder(), make_admin()
        team = make_team("Secret", team_member)
        update(make_incident(), by=None, fields={"team": team, "is_restricted": True})

        for person, expected in ((team_member, 1), (outsider, 0), (admin, 1)):
            with self.subTest(person.email):
                response = self.open(person)

                self.assertEqual(response.context["now"].open.count, expected)
                [card] = cards_of(["incidents"], self.scope(person))
                self.assertEqual(card.facts[0].text, str(expected))


class ItemTests(DashboardCase):
    def test_it_counts_my_action_items_where_there_are_any(self) -> None:
        ben, admin = make_responder(), make_admin()
        review = make_review(by=admin)
        for due_on in (dt.date(2026, 1, 1), None):
            make_item(review, by=admin, owner=ben, due_on=due_on)

        mine = self.open(ben).context["now"].my_items

        self.assertEqual((mine.count, mine.overdue), (2, 1))
        self.assertContains(self.open(ben), "1 is overdue")
        self.assertNotContains(self.open(admin), "My action items")


class NumberTests(LivedInCase):
    """Every number of the page against the list behind it."""

    def setUp(self) -> None:
        forget()

    def numbers_of(self, viewer: User, query: dict[str, str]) -> list[tuple[str, str]]:
        scope, found = scope_of(viewer, query, timezone.now())[0], []
        for card in cards_of(list(CARDS), scope):
            cells = [cell for row in card.chart.rows for cell in row if cell.url]
            found += [(str(cell.value), cell.url) for cell in cells if isinstance(cell.value, int)]
            found += [(fact.text, fact.url) for fact in card.facts if fact.url]
        now = now_of(scope, timezone.now())
        tiles = [*now.unacknowledged, now.waiting, now.due, now.overdue, now.open]
        return [*found, *((str(tile.count), tile.url) for tile in tiles)]

    def test_each_equals_its_list(self) -> None:
        for person in (self.member, self.outsider, self.admin):
            for query in ({"days": "90"}, {"days": "90", "team": "mine"}, {"from": "2026-03-10", "to": "2026-03-20"}):
                with self.subTest(person.email, **query), time_machine.travel(NOW, tick=False):
                    checked = 0
                    for text, url in self.numbers_of(person, query):
                        if url.startswith("/incidents/") and text.isdigit():
                            self.assertEqual(int(text), listed(person, url), url)
                            checked += 1
                    self.assertGreater(checked, 40 if person.is_responder else 8)

    def test_means_leave_out_active_incidents_and_say_so(self) -> None:
        with time_machine.travel(NOW, tick=False):
            self.client.force_login(self.admin)
            response = self.client.get(HOME, {"days": "90"})

            pending = sum(row.resolve_seconds is None for row in self.seen_by(self.admin))
            self.assertContains(response, f"The mean leaves out {pending} that are still active.")


class PageTests(DashboardCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = make_responder()
        cls.team = make_team("Database", cls.ada)
        cls.incident = make_incident(severity=4, services=[make_service()])
        update(cls.incident, by=None, fields={"team": cls.team})

    def test_it_says_who_is_on_call(self) -> None:
        make_schedule(layer([self.ada], rotation={"unit": "weeks", "every": 1}), name="Primary", team=self.team)
        make_schedule(name="Elsewhere")

        strip = self.open(self.ada, reverse("console:dashboard-now"))
        mine = self.open(self.ada, reverse("console:dashboard-now"), team="mine")

        self.assertContains(strip, self.ada.name)
        self.assertContains(strip, "Nobody")
        self.assertNotContains(mine, "Elsewhere")

    def test_an_empty_chart_says_which_filter_emptied_it(self) -> None:
        other = make_team("Network")

        response = self.open(self.ada, team=str(other.pk), days="7")

        self.assertContains(response, "Nothing for Network in the last 7 days.")
        self.assertContains(response, '<a href="?days=7">Show all teams</a>', html=True)

    def test_it_keeps_to_what_it_can_show(self) -> None:
        for query, sentence in (
            ({"from": "2026-05-02", "to": "2026-05-01"}, "The first day must not be after the last."),
            ({"from": "2020-05-02", "to": "2026-05-01"}, "At most 366 days can be shown at once."),
            ({"from": "yesterday"}, "yesterday is not a day such as 2026-11-30."),
            ({"days": "7", "team": "999999"}, ""),
        ):
            with self.subTest(query):
                self.assertContains(self.open(self.ada, **query), sentence)

    def test_each_chart_is_a_csv(self) -> None:
        for name in CARDS:
            with self.subTest(name):
                response = self.open(self.ada, reverse("console:dashboard-csv", args=[name]))

                self.assertEqual(response["Content-Type"], "text/csv; charset=utf-8")
                self.assertIn("attachment", response["Content-Disposition"])
                rows = list(csv.reader(response.content.decode("utf-8-sig").splitlines()))
                self.assertEqual(len({len(row) for row in rows}), 1)
        self.assertEqual(self.open(self.ada, reverse("console:dashboard-csv", args=["nonsense"])).status_code, 404)

    def test_its_csv_runs_no_formulas(self) -> None:
        self.team.name = "=HYPERLINK(1)"
        self.team.save()

        response = self.open(self.ada, reverse("console:dashboard-csv", args=["team"]))

        self.assertIn("'=HYPERLINK(1)", response.content.decode())

    def test_it_has_neither_inline_styles_nor_handlers(self) -> None:
        html = self.open(self.ada).content.decode()

        self.assertNotRegex(html, r"\sstyle=|\son[a-z]+=|<script>|<style")

    def test_it_costs_the_same_for_more(self) -> None:
        def cost() -> int:
            forget()
            self.client.force_login(self.ada)
            with CaptureQueriesContext(connection) as spent:
                self.client.get(HOME)
            return len(spent)

        make_schedule(layer([self.ada], rotation={"unit": "weeks", "every": 1}), name="Primary")
        first = cost()
        for number in range(8):
            make_page(make_incident(services=[make_service(f"service-{number}")]), self.ada, dt.datetime.now(dt.UTC))

        self.assertLessEqual(cost(), first)
        self.assertLessEqual(first, 20)


class ArrangingTests(DashboardCase):
    def arrange(self, person: User, **fields: Any) -> Any:
        self.client.force_login(person)
        return self.client.post(reverse("console:dashboard-cards-keep"), fields)

    def names(self, person: User) -> list[str]:
        return re.findall('id="card-([a-z]+)"', self.open(person).content.decode())

    def test_it_shows_chosen_cards_in_their_order(self) -> None:
        ada, ben = make_responder(), make_responder()

        self.arrange(ada, order=["team", "load", "severity"], shown=["severity", "team"])

        self.assertEqual(self.names(ada), ["team", "severity"])
        self.assertEqual(self.names(ben), list(CARDS))

    def test_it_moves_a_card_by_buttons(self) -> None:
        ada, names = make_responder(), list(CARDS)

        self.arrange(ada, order=names, shown=names, move=f"{names[2]} up")
        self.assertEqual(self.names(ada)[:3], [names[0], names[2], names[1]])
        self.arrange(ada, order=self.names(ada), shown=names, move=f"{names[0]} down")
        self.assertEqual(self.names(ada)[:2], [names[2], names[0]])
        self.arrange(ada, order=self.names(ada), shown=names, move=f"{names[2]} up")
        self.assertEqual(self.names(ada)[0], names[2])

    def test_it_can_be_reset(self) -> None:
        ada = make_responder()
        self.arrange(ada, order=[], shown=[])
        self.assertContains(self.open(ada), "All cards are hidden.")

        self.arrange(ada, reset="1")

        self.assertEqual(self.names(ada), list(CARDS))

    def test_it_ignores_what_it_does_not_know(self) -> None:
        ada = make_responder()

        self.arrange(ada, order=["nonsense", "team"], shown=["nonsense", "team"], move="nonsense up")

        self.assertEqual(preferences.of(ada).dashboard, {"cards": ["team"]})

    def test_it_takes_posts_of_responders_only(self) -> None:
        self.client.force_login(make_responder())
        self.assertEqual(self.client.get(reverse("console:dashboard-cards-keep")).status_code, 405)
        self.assertEqual(self.arrange(make_reporter(), order=[]).status_code, 403)


class PagesReportTests(DashboardCase):
    def test_it_lists_the_pages_behind_the_numbers(self) -> None:
        ada = make_responder()
        User.objects.filter(pk=ada.pk).update(time_zone="Europe/Zurich")
        incident = make_incident(title="Disk full")
        hidden = update(make_incident(title="Secret"), by=None, fields={"is_restricted": True})
        midnight = dt.datetime.now(dt.UTC).replace(hour=1, minute=0)
        for one, at in ((incident, midnight), (incident, midnight.replace(hour=0)), (hidden, midnight)):
            make_page(one, ada, at - dt.timedelta(days=1))

        def shown(kind: str) -> list[tuple[bool, bool]]:
            url = reverse("console:pages-report")
            response = self.open(make_responder(), url, person=str(ada.pk), kind=kind)
            self.assertNotContains(response, "Secret")
            return [(one["is_night"], one["is_repeat"]) for one in response.context["pages"]]

        self.assertEqual(shown(""), [(True, True), (True, False)])
        self.assertEqual(shown("repeat"), [(True, True)])
        self.assertEqual(len(shown("night")), 2)
        self.assertEqual(Incident.objects.count(), 2)
