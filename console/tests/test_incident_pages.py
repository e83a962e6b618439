import datetime as dt
from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.tests.factories import fire, make_source
from incidents import services
from incidents.models import Incident, Status
from incidents.services import attaching
from incidents.tests.factories import make_incident, make_service, make_team
from incidents.tests.files import OwnStore, picture, upload
from paging.services import starting
from paging.tests.factories import make_escalation, step
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

HX = {"HX-Request": "true"}


class IncidentPageTests(OwnStore, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.reporter, cls.outsider = make_reporter(name="Rita"), make_reporter(name="Otto")
        cls.ben, cls.stranger, cls.admin = (
            make_responder(name="Ben"),
            make_responder(name="Sten"),
            make_admin(name="Ada"),
        )
        cls.team = make_team("Database", cls.ben)
        cls.incident = make_incident(by=cls.reporter, title="Checkout is down", description="**All** of it")
        services.assign_team(cls.incident, cls.team, by=None)

    def open(self, user: User, name: str = "incident", *args: object, **query: str) -> Any:
        self.client.force_login(user)
        url = reverse(f"console:{name}", args=[self.incident.reference, *args])
        return self.client.get(url, query)


class AudienceTests(IncidentPageTests):
    def test_it_opens_for_whoever_sees_the_incident(self) -> None:
        for user, status in (
            (self.reporter, 200),
            (self.ben, 200),
            (self.stranger, 200),
            (self.admin, 200),
            (self.outsider, 404),
        ):
            for name in ("incident", "incident-live", "incident-suggestions"):
                with self.subTest(user=user.name, name=name):
                    self.assertEqual(self.open(user, name).status_code, status)

    def test_it_keeps_restricted_incidents_from_others(self) -> None:
        services.update(self.incident, by=None, fields={"is_restricted": True})

        for user, status in ((self.reporter, 200), (self.ben, 200), (self.stranger, 404), (self.admin, 200)):
            with self.subTest(user=user.name):
                self.assertEqual(self.open(user).status_code, status)

    def test_it_takes_a_number_too_and_nothing_else(self) -> None:
        self.client.force_login(self.ben)

        self.assertEqual(self.client.get(f"/incidents/{self.incident.pk}/").status_code, 200)
        self.assertEqual(self.client.get("/incidents/nonsense/").status_code, 404)
        self.assertEqual(self.client.get("/incidents/INC-999999999999999999/").status_code, 404)

    def test_it_offers_work_to_those_who_may(self) -> None:
        for user, offered in ((self.ben, True), (self.admin, True), (self.stranger, False), (self.reporter, False)):
            with self.subTest(user=user.name):
                self.assertEqual("/move/acknowledge/" in self.open(user).content.decode(), offered)

    def test_it_shows_internal_notes_to_responders_only(self) -> None:
        services.comment(self.incident, "zzsecret", by=self.ben, visibility="internal")
        later = (timezone.now() + dt.timedelta(minutes=1)).isoformat()

        for user, is_shown in ((self.ben, True), (self.stranger, True), (self.admin, True), (self.reporter, False)):
            for name, query in (
                ("incident", {}),
                ("incident", {"show": "people"}),
                ("incident", {"as_of": later}),
                ("incident-live", {"after": "1"}),
            ):
                with self.subTest(user=user.name, name=name, query=query):
                    self.assertEqual("zzsecret" in self.open(user, name, **query).content.decode(), is_shown)

    def test_it_offers_reporters_public_updates_only(self) -> None:
        self.assertNotContains(self.open(self.reporter), 'value="internal"')
        self.assertContains(self.open(self.ben), 'value="internal"')


class TimelineTests(IncidentPageTests):
    def test_it_shows_the_newest_first_by_day_in_pages(self) -> None:
        for number in range(60):
            services.comment(self.incident, f"update number {number:03}", by=self.ben)

        page = self.open(self.ben).content.decode()

        self.assertLess(page.index("update number 059"), page.index("update number 058"))
        self.assertNotIn("update number 005", page)
        older = self.open(self.ben, before="13")
        self.assertContains(older, "update number 005")
        self.assertNotContains(older, "update number 050")

    def test_it_narrows_by_chip(self) -> None:
        services.comment(self.incident, "words of Ben", by=self.ben)

        self.assertContains(self.open(self.ben, show="people"), "words of Ben")
        self.assertNotContains(self.open(self.ben, show="alerts"), "words of Ben")
        self.assertContains(self.open(self.ben, show="alerts"), "Show all")
        self.assertEqual(self.open(self.ben, show="nonsense").status_code, 200)

    def test_it_sends_new_entries_only(self) -> None:
        services.comment(self.incident, "words of Ben", by=self.ben)
        number = Incident.objects.get(pk=self.incident.pk).event_count
        services.comment(self.incident, "words of Ada", by=self.admin)

        fragment = self.open(self.ben, "incident-live", after=str(number))

        self.assertContains(fragment, "words of Ada")
        self.assertNotContains(fragment, "words of Ben")

    def test_it_renders_markdown_and_no_markup(self) -> None:
        services.comment(self.incident, "**bold** <script>alert(1)</script> [x](javascript:alert(1))", by=self.ben)

        page = self.open(self.ben).content.decode()

        self.assertIn("<strong>bold</strong>", page)
        self.assertNotIn("<script>alert", page)
        self.assertNotIn('href="javascript:', page)

    def test_it_tells_how_the_incident_stood(self) -> None:
        before = Incident.objects.get(pk=self.incident.pk).last_occurred_at
        services.update(self.incident, by=self.ben, fields={"title": "Checkout is up"}, status=Status.RESOLVED)

        page = self.open(self.ben, as_of=before.isoformat())

        self.assertContains(page, "Checkout is down")
        self.assertNotContains(page, "Checkout is up</bdi></h1>")
        self.assertEqual(self.open(self.ben, as_of="yesterday").status_code, 400)
        for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
            self.assertEqual(self.open(self.ben, as_of=moment).status_code, 400)
        self.assertEqual(self.open(self.ben, as_of="2001-01-01T00:00:00Z").status_code, 404)
        self.assertEqual(self.open(self.outsider, as_of=before.isoformat()).status_code, 404)


class NeighbourTests(IncidentPageTests):
    def test_it_links_the_neighbours_in_the_list(self) -> None:
        others = [make_incident(by=self.reporter, title=f"Checkout {number}") for number in range(2)]
        make_incident(by=self.reporter, title="Something else")
        self.incident = others[0]

        for query in ("ordering=-created_at", "q=checkout&ordering=-severity", "is_open=true&q=checkout"):
            with self.subTest(query):
                page = self.open(self.ben, list=query).content.decode()
                self.assertIn(f"/incidents/INC-{others[1].pk}/?list=", page.split('rel="prev"')[0])
                self.assertIn(f"/incidents/INC-{others[0].pk - 1}/?list=", page.split('rel="next"')[0])

    def test_it_goes_without_where_the_list_is_wrong(self) -> None:
        for query in ("", "ordering=nonsense", "status=nonsense", "x" * 3000, "cursor=1&page_size=9"):
            with self.subTest(query[:30]):
                self.assertEqual(self.open(self.ben, list=query).status_code, 200)

    def test_it_names_only_what_the_person_sees(self) -> None:
        hidden = make_incident(by=self.admin, title="Hidden", is_restricted=True)
        page = self.open(self.ben, list="ordering=-created_at")

        self.assertNotContains(page, hidden.reference)


class CostTests(IncidentPageTests):
    def queries(self, user: User, name: str = "incident", **query: str) -> int:
        self.client.force_login(user)
        url = reverse(f"console:{name}", args=[self.incident.reference])
        self.client.get(url, query)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            self.assertEqual(self.client.get(url, query).status_code, 200)
        self.shown = [query["sql"][:150] for query in captured.captured_queries]
        return len(captured)

    def test_it_costs_the_same_for_any_number_of_events_and_files(self) -> None:
        services.update(self.incident, by=None, fields={"services": [make_service()]})
        pages = [
            ("incident", {"list": "is_open=true&ordering=-severity"}),
            ("incident-live", {"after": "1"}),
            ("incident", {"as_of": timezone.now().isoformat()}),
        ]
        users = (self.ben, self.admin, self.reporter)
        small = [self.queries(user, name, **query) for user in users for name, query in pages]
        source = make_source(name="Grafana")
        self.escalate()
        for number in range(20):
            alert = fire(source, f"a{number}", title=f"Alert {number}", links=[{"href": "https://wiki.example/"}])
            alert.incident = self.incident
            alert.save(update_fields=["incident"])
        for number in range(500):
            services.comment(self.incident, f"update {number}", by=self.ben)
        for _number in range(4):
            attaching.attach(self.incident, attaching.inspect([upload(picture()) for _ in range(5)]), by=self.ben)

        large = [self.queries(user, name, **query) for user in users for name, query in pages]

        self.assertLessEqual(max(large), 21, self.shown)
        for one, other in zip(small, large, strict=True):
            self.assertLessEqual(other, one + 4)  # what only pages and alerts have

    def escalate(self) -> None:
        make_escalation(step(self.admin), step(self.stranger, delay=30))
        starting.start_for([self.incident.pk], timezone.now())

    def test_it_tells_responders_who_is_next(self) -> None:
        self.escalate()

        self.assertContains(self.open(self.ben, "incident-escalation"), self.admin.name)
        self.assertEqual(self.open(self.reporter, "incident-escalation").status_code, 403)
        self.assertEqual(self.open(self.outsider, "incident-escalation").status_code, 403)
