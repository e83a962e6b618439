"""Queries are kept; who sees what is not."""

from typing import Any
from unittest import mock

import time_machine
from django.test import TestCase
from rest_framework.test import APIClient

from core.db import prepared
from incidents.models import Incident, Subscription
from incidents.representation import service_slugs
from incidents.services import comment
from incidents.tests.factories import MONDAY, make_category, make_incident, make_service, make_team, minutes, report
from incidents.vocabulary import Visibility
from responders.models import Membership
from users.models import Role, User
from users.services import open_session
from users.tests.factories import make_admin, make_reporter, make_responder
from users.tokens import access_token

INCIDENTS = "/api/v1/incidents/"


def client_of(user: User) -> APIClient:
    """A client with a token of its own, so that each request reads anew who is asking."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(open_session(user))}")
    return client


class KeptQueriesTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.reporter, cls.member, cls.outsider = make_reporter(), make_responder(), make_responder()
        cls.admin = make_admin()
        cls.team = make_team("Database")
        cls.hidden = report(by=cls.reporter, title="A secret outage", is_restricted=True)
        Incident.objects.filter(pk=cls.hidden.pk).update(team=cls.team)
        cls.open = report(by=cls.admin, title="No secret at all")

    def seen_by(self, user: User, query: str = "") -> list[int]:
        answer = client_of(user).get(INCIDENTS + query)
        return sorted(row["id"] for row in answer.json()["results"])

    def sees_hidden(self, user: User) -> tuple[bool, int, int]:
        """Whether the hidden one is in the list, and how its own address and its timeline answer."""
        path = f"{INCIDENTS}{self.hidden.pk}/"
        client = client_of(user)
        statuses = (client.get(path).status_code, client.get(f"{path}timeline/").status_code)
        return self.hidden.pk in self.seen_by(user), *statuses

    def test_it_keeps_people_apart(self) -> None:
        for query in ("", "?is_open=true", "?q=secret", "?ordering=-severity&page_size=10"):
            for _again in range(2):
                with self.subTest(query):
                    self.assertEqual(self.seen_by(self.admin, query), [self.hidden.pk, self.open.pk])
                    self.assertEqual(self.seen_by(self.outsider, query), [self.open.pk])
                    self.assertEqual(self.seen_by(self.reporter, query), [self.hidden.pk])

    def test_it_knows_who_me_is(self) -> None:
        for _again in range(2):
            self.assertEqual(self.seen_by(self.reporter, "?reporter=me"), [self.hidden.pk])
            self.assertEqual(self.seen_by(self.admin, "?reporter=me"), [self.open.pk])

    def test_it_shows_a_change_on_the_next_request(self) -> None:
        changes: dict[str, tuple[Any, Any]] = {
            "team": (
                lambda: Membership.objects.create(team=self.team, user=self.member),
                lambda: Membership.objects.filter(user=self.member).delete(),
            ),
            "role": (lambda: self._turn(Role.ADMIN), lambda: self._turn(Role.RESPONDER)),
            "following": (
                lambda: Subscription.objects.create(incident=self.hidden, user=self.member),
                lambda: Subscription.objects.filter(user=self.member).delete(),
            ),
            "assignee": (lambda: self._set(assignee=self.member), lambda: self._set(assignee=None)),
            "restriction": (lambda: self._set(is_restricted=False), lambda: self._set(is_restricted=True)),
        }
        for name, (let_in, shut_out) in changes.items():
            with self.subTest(name):
                self.assertEqual(self.sees_hidden(self.member), (False, 404, 404))

                let_in()
                self.assertEqual(self.sees_hidden(self.member), (True, 200, 200))

                shut_out()
                self.assertEqual(self.sees_hidden(self.member), (False, 404, 404))

    def test_it_hides_what_was_deleted_at_once(self) -> None:
        before = self.sees_hidden(self.admin)

        self._set(deleted_at=MONDAY)

        self.assertEqual((before, self.sees_hidden(self.admin)), ((True, 200, 200), (False, 404, 404)))

    def test_it_reads_the_clock_each_time(self) -> None:
        incident = make_incident(by=self.admin, title="Late", at=MONDAY)
        Incident.objects.filter(pk=incident.pk).update(ack_due_at=MONDAY + minutes(15), ack_breached=False)

        seen = []
        for moment in (MONDAY + minutes(14), MONDAY + minutes(16)):
            with time_machine.travel(moment, tick=False):
                seen.append(incident.pk in self.seen_by(self.admin, "?breached=ack"))

        self.assertEqual(seen, [False, True])

    def test_it_reads_names_and_values_of_filters_apart(self) -> None:
        make_category("network")
        for query in ("?location=a&source=b", "?location=b&source=a", "?location=a", "?status=open", "?severity=high"):
            self.seen_by(self.admin, query)

        self.assertEqual(self.seen_by(self.admin, "?status=open"), [self.hidden.pk, self.open.pk])
        self.assertEqual(self.seen_by(self.admin, "?status=closed"), [])

    def test_it_refuses_a_bad_filter_every_time(self) -> None:
        for query in ("?colour=red", "?status=red", "?page_size=0", "?ordering=title"):
            statuses = [client_of(self.admin).get(INCIDENTS + query).status_code for _again in range(2)]

            self.assertEqual(statuses, [400, 400])

    def test_it_walks_pages_both_ways_again(self) -> None:
        for number in range(5):
            make_incident(by=self.admin, title=f"Number {number}")

        first, again = self._walk(), self._walk()

        self.assertEqual(first, again)
        self.assertEqual(len(first), 7)

    def test_it_keeps_internal_updates_from_the_reporter(self) -> None:
        comment(self.hidden, by=self.admin, message="Between us", visibility=Visibility.INTERNAL)
        path = f"{INCIDENTS}{self.hidden.pk}/timeline/"

        texts = [client_of(user).get(path).content.decode() for user in (self.admin, self.reporter, self.admin)]

        self.assertEqual(["Between us" in text for text in texts], [True, False, True])

    def test_it_builds_a_page_that_is_asked_for_again_once(self) -> None:
        client = client_of(self.member)
        paths = [
            INCIDENTS,
            f"{INCIDENTS}?q=secret",
            f"{INCIDENTS}{self.open.pk}/",
            f"{INCIDENTS}{self.open.pk}/timeline/",
        ]
        for path in paths:
            client.get(path)

        with mock.patch.object(prepared, "_compiled", wraps=prepared._compiled) as compiled:
            statuses = [client.get(path).status_code for path in paths]

        self.assertEqual((statuses, compiled.call_count), ([200] * 4, 0))

    def _walk(self) -> list[int]:
        """The ids of all pages of two, walked to the end and back to the first."""
        client, ids, url = client_of(self.admin), [], f"{INCIDENTS}?page_size=2"
        while url:
            page = client.get(url).json()
            ids += [row["id"] for row in page["results"]]
            last, url = url, page["next"]
        back = client.get(last).json()["previous"]
        while back:
            page = client.get(back).json()
            self.assertEqual([row["id"] for row in page["results"]], ids[:2] if not page["previous"] else mock.ANY)
            back = page["previous"]
        return ids

    def _turn(self, role: Role) -> None:
        User.objects.filter(pk=self.member.pk).update(role=role)

    def _set(self, **fields: Any) -> None:
        Incident.objects.filter(pk=self.hidden.pk).update(**fields)


class ServiceSlugsTests(TestCase):
    def test_it_knows_them_of_any_number_of_incidents(self) -> None:
        services = [make_service(slug) for slug in ("search", "payments")]
        incidents = [make_incident(by=make_admin(), services=services[: number % 3]) for number in range(6)]
        expected = [[], ["search"], ["payments", "search"]] * 2

        for count in range(7):
            with self.subTest(count), self.assertNumQueries(min(count, 1)):
                slugs = service_slugs([incident.pk for incident in incidents[:count]])

                self.assertEqual([slugs[incident.pk] for incident in incidents[:count]], expected[:count])
