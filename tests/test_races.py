"""Two who want the same at the same moment: one gets it, the others hear so. Never a server error."""

import logging
from collections.abc import Callable
from typing import Any
from unittest import mock

from django.db import IntegrityError, transaction
from django.test import Client, TestCase, TransactionTestCase, override_settings

from core.db.tests.threads import at_once
from core.errors import conflict_of
from incidents.tests.factories import make_incident, make_service
from responders.models import Team
from users.models import User
from users.tests.factories import PASSWORD, client_of, make_admin, make_reporter, make_responder

API = "/api/v1/"
AT_ONCE = 4


class ConflictTests(TestCase):
    """The same without the race: the look before the write finds nothing."""

    def setUp(self) -> None:
        self.team = Team.objects.create(name="Web")

    def refusal(self, work: Callable[[], Any]) -> IntegrityError:
        with self.assertRaises(IntegrityError) as caught, transaction.atomic():
            work()
        return caught.exception

    def test_it_knows_what_somebody_else_is_the_reason_for(self) -> None:
        twin = self.refusal(lambda: Team.objects.create(name="Web"))
        ours = self.refusal(lambda: Team.objects.filter(pk=self.team.pk).update(name=None))

        conflict = conflict_of(twin)
        self.assertEqual(conflict and (conflict.status, conflict.code), (409, "already_exists"))
        self.assertIsNone(conflict_of(ours))

    def test_it_is_a_conflict_wherever_the_api_meets_it(self) -> None:
        client = client_of(make_admin())
        error = self.refusal(lambda: Team.objects.create(name="Web"))

        with mock.patch("users.views.services.create_personal_token", side_effect=error):
            answer = client.post(f"{API}me/tokens/", {"name": "ci"})

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "already_exists"))

    def test_it_brings_the_form_back_in_the_admin(self) -> None:
        browser = Client()
        browser.force_login(make_admin())
        form = {"name": "Web", "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

        with mock.patch.object(Team, "clean"), mock.patch.object(Team, "validate_unique"):
            answer = browser.post("/admin/responders/team/add/", form)

        self.assertContains(answer, "created by another request")
        self.assertContains(answer, 'value="Web"')


@override_settings(RATES_PER_ADDRESS={})
class RaceTests(TransactionTestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.admin = make_admin()

    def statuses(self, send: Callable[[], Any]) -> list[int]:
        """What all who send at the same moment hear. (In memory, SQLite lets the one who got it try once more, and hear
        that it is taken; `core.db.tests.threads` says why.)"""
        answers = at_once([send] * AT_ONCE)
        return sorted((getattr(answer, "status_code", answer) for answer in answers), key=str)

    def browser(self) -> Client:
        """One that is signed in already: signing in is no part of the race."""
        browser = Client()
        browser.force_login(self.admin)
        return browser

    def test_it_tells_all_but_one_over_the_api(self) -> None:
        forms: dict[str, dict[str, Any]] = {
            "auth/register/": {"email": "new@example.com", "password": PASSWORD},
            "teams/": {},
            "services/": {"slug": "same"},
            "categories/": {"slug": "same"},
            "sla-policies/": {"severity": "high", "ack_minutes": 5},
            "sources/": {"kind": "generic"},
            "routes/": {},
        }
        for route, form in forms.items():
            for round_ in range(3):
                sent = {**form, "name": f"Same {round_}"}
                if "slug" in sent:
                    sent["slug"] = f"same-{round_}"
                if "email" in sent:
                    sent["email"] = f"new{round_}@example.com"
                with self.subTest(route, round=round_):
                    statuses = self.statuses(
                        lambda route=route, sent=sent: client_of(self.admin).post(f"{API}{route}", sent)
                    )

                    self.assertLessEqual(set(statuses), {201, 400, 409}, statuses)
                    self.assertLessEqual(statuses.count(201), 1)

    def test_it_takes_a_member_or_follower_once(self) -> None:
        team, person, incident = Team.objects.create(name="Web"), make_responder(), make_incident()
        ways = {
            f"teams/{team.pk}/members/": {"user": person.pk},
            f"incidents/{incident.reference}/subscribers/": {"user": person.pk},
        }
        for route, form in ways.items():
            with self.subTest(route):
                statuses = self.statuses(
                    lambda route=route, form=form: client_of(self.admin).post(f"{API}{route}", form)
                )

                self.assertLessEqual(set(statuses), {200, 201, 204, 400, 409}, statuses)

    def test_it_shows_the_form_again_in_the_admin(self) -> None:
        account = {"email": "new@example.com", "name": "New", "role": "reporter", "time_zone": "UTC", "is_active": "on"}
        forms = {
            "users/user": account,
            "responders/team": {
                "name": "Same",
                "memberships-TOTAL_FORMS": "0",
                "memberships-INITIAL_FORMS": "0",
            },
            "responders/service": {"name": "Same", "slug": "same"},
            "incidents/category": {"name": "Same", "slug": "same"},
        }
        browsers = [self.browser() for _ in range(AT_ONCE)]
        for page, form in forms.items():
            with self.subTest(page):
                answers = at_once(
                    [
                        lambda browser=browser, page=page, form=form: browser.post(f"/admin/{page}/add/", form)
                        for browser in browsers
                    ]
                )

                statuses = [getattr(answer, "status_code", answer) for answer in answers]
                self.assertLessEqual(set(statuses), {200, 302}, statuses)
                self.assertLessEqual(statuses.count(302), 1)

    def test_it_gives_an_address_to_one_of_two_people(self) -> None:
        one, other = make_reporter(), make_reporter()

        form = {"email": "wanted@example.com", "name": "N", "role": "reporter", "time_zone": "UTC", "is_active": "on"}
        browsers = [(self.browser(), person) for person in (one, other)]

        answers = at_once(
            [
                lambda browser=browser, person=person: browser.post(f"/admin/users/user/{person.pk}/change/", form)
                for browser, person in browsers
            ]
        )

        self.assertLessEqual({answer.status_code for answer in answers}, {200, 302}, answers)
        self.assertEqual(User.objects.filter(email="wanted@example.com").count(), 1)

    def test_it_tells_that_what_was_named_is_gone(self) -> None:
        service = make_service("mail")

        def name() -> Any:
            return client_of(self.admin).post(f"{API}incidents/", {"title": "x", "services": [service.slug]})

        def delete() -> Any:
            return client_of(self.admin).delete(f"{API}services/{service.pk}/")

        answers = at_once([name, delete, name, delete])

        self.assertLessEqual(
            {getattr(answer, "status_code", answer) for answer in answers}, {201, 204, 400, 404, 409}, answers
        )
