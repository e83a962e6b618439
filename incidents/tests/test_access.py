"""Nobody comes to see a restricted incident as a side effect of anything."""

from django.test import TestCase
from django.urls import reverse

from core.errors import Conflict, NotFound, PermissionRefused
from incidents.models import Incident, LinkKind
from incidents.services import comment, link, subscribe, unlink, update, update_many, verify
from incidents.tests.factories import kinds_of, make_incident, make_team
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

API = "/api/v1/incidents/"


class AccessCase(TestCase):
    """A restricted incident of a team, its member, somebody of another team, and one who only follows it."""

    def setUp(self) -> None:
        self.admin, self.member, self.follower, self.outsider = (
            make_admin(),
            make_responder(name="Member"),
            make_responder(name="Follower"),
            make_responder(name="Outsider"),
        )
        self.team, self.other = make_team("Security", self.member), make_team("Network", self.outsider)
        self.secret = make_incident(by=self.admin, title="Account theft", is_restricted=True, team=self.team)
        subscribe(self.secret, self.follower, by=self.admin)

    def assert_unseen_by(self, *people) -> None:
        for person in people:
            self.assertNotIn(self.secret, Incident.objects.visible_to(person), person.name)


class DuplicateOfRestrictedTests(AccessCase):
    def setUp(self) -> None:
        super().setUp()
        self.reporter = make_reporter(name="Rita")
        self.mine = make_incident(by=self.reporter)

    def lines_of(self, person) -> str:
        timeline = client_of(person).get(f"{API}{self.mine.pk}/timeline/").content
        history = client_of(person).get(f"{API}{self.mine.pk}/history/").content
        links = client_of(person).get(f"{API}{self.mine.pk}/links/").content
        return (timeline + history + links).decode()

    def test_it_leaves_the_reporter_outside_and_tells_staff(self) -> None:
        link(self.mine, self.secret, LinkKind.DUPLICATE_OF, by=self.member)

        self.assert_unseen_by(self.reporter)
        left = self.secret.events.get(kind="followers_left")
        self.assertEqual(left.data["users"], [{"id": self.reporter.pk, "name": "Rita"}])
        self.assertIn("followers_left", kinds_of(self.mine))
        self.assertEqual([verify(self.mine), verify(self.secret)], [None, None])

    def test_it_has_no_line_for_who_does_not_see_it(self) -> None:
        made = link(self.mine, self.secret, LinkKind.DUPLICATE_OF, by=self.admin)
        self.assert_no_line()
        self.assertIn(self.secret.reference, self.lines_of(self.follower))

        unlink(self.mine, made.pk, by=self.admin)

        self.assert_no_line()

    def assert_no_line(self) -> None:
        for person in (self.reporter, self.outsider):
            said = self.lines_of(person)
            self.assertNotIn(self.secret.reference, said)
            self.assertNotIn("Account theft", said)
            self.assertIn('"resolved"', said)

    def test_it_has_no_line_of_what_was_restricted_afterwards(self) -> None:
        original = make_incident(title="Theft of keys")
        link(self.mine, original, LinkKind.DUPLICATE_OF, by=self.admin)
        self.assertIn(f"Duplicate of {original.reference}.", self.lines_of(self.outsider))

        update(original, by=self.admin, fields={"is_restricted": True})

        self.assertNotIn(original.reference, self.lines_of(self.outsider))
        self.client.force_login(self.outsider)
        page = self.client.get(reverse("admin:incidents_incident_change", args=[self.mine.pk]))
        self.assertNotContains(page, original.reference)

    def test_it_lets_followers_in_only_where_the_team_says_so(self) -> None:
        answers = [
            client_of(person)
            .post(
                f"{API}{self.mine.pk}/links/",
                {"kind": "duplicate_of", "target": self.secret.reference, "grants_access": True},
            )
            .status_code
            for person in (self.outsider, self.follower, self.member)
        ]

        self.assertEqual(answers, [404, 403, 201])
        self.assertIn(self.secret, Incident.objects.visible_to(self.reporter))
        self.assertEqual(self.secret.events.get(kind="subscribed", actor=self.member).data["user"]["name"], "Rita")

    def test_it_takes_along_who_sees_it_anyway(self) -> None:
        subscribe(self.mine, self.member, by=self.admin)

        link(self.mine, self.secret, LinkKind.DUPLICATE_OF, by=self.admin)

        self.assertTrue(self.secret.subscriptions.filter(user=self.member).exists())

    def test_it_leaves_reporters_outside_what_its_author_does_not_work_on(self) -> None:
        original = make_incident(team=self.other, by=self.admin)

        link(self.mine, original, LinkKind.DUPLICATE_OF, by=self.member)

        self.assertNotIn(original, Incident.objects.visible_to(self.reporter))
        self.assertIn("followers_left", kinds_of(original))


class GrantTests(AccessCase):
    def test_it_lets_its_team_and_administrators_make_followers(self) -> None:
        reporter = make_reporter()
        unowned = make_incident(by=self.admin, is_restricted=True)
        subscribe(unowned, self.follower, by=self.admin)
        for incident in (self.secret, unowned):
            with self.subTest(incident=incident.team), self.assertRaises(PermissionRefused):
                subscribe(incident, reporter, by=self.follower)
        with self.assertRaises(NotFound):
            subscribe(self.secret, self.outsider, by=self.outsider)

        self.assertTrue(subscribe(self.secret, reporter, by=self.member))
        self.assertIn(self.secret, Incident.objects.visible_to(reporter))

    def test_it_lets_nobody_else_hand_it_over_assign_it_or_lift_the_restriction(self) -> None:
        unowned = make_incident(by=self.admin, is_restricted=True)
        subscribe(unowned, self.follower, by=self.admin)
        mine = make_team("Mine", self.follower)
        for fields in ({"team": self.other}, {"team": mine}, {"assignee": self.outsider}, {"is_restricted": False}):
            with self.subTest(fields), self.assertRaises(PermissionRefused):
                update(unowned, by=self.follower, fields=fields)

        update(unowned, by=self.follower, fields={"assignee": self.follower})
        update(self.secret, by=self.member, fields={"team": self.other})
        self.assertIn(self.secret, Incident.objects.visible_to(self.outsider))
        self.assertEqual(kinds_of(self.secret)[-1], "team_changed")

    def test_it_lets_nobody_in_by_a_bulk_that_does_not_say_so(self) -> None:
        plain = make_incident()
        body = {"ids": [plain.pk, self.secret.pk], "team": self.other.pk}

        first = self.bulk(body)
        self.assertEqual([row["ok"] for row in first], [True, False])
        self.assertEqual(first[1]["code"], "access_not_granted")
        self.assert_unseen_by(self.outsider)

        self.assertTrue(self.bulk({**body, "grants_access": True})[1]["ok"])
        self.assertIn(self.secret, Incident.objects.visible_to(self.outsider))

    def bulk(self, body):
        answer = client_of(self.admin).post(f"{API}bulk/", body)
        return answer.json()["results"]

    def test_it_lets_a_bulk_change_what_lets_nobody_in(self) -> None:
        results = update_many([self.secret.pk], by=self.admin, status="acknowledged", fields={"assignee": self.member})

        self.assertTrue(results[0]["ok"], results)

    def test_it_is_not_there_for_who_read_it_before_it_was_restricted(self) -> None:
        incident = make_incident()
        update(incident, by=self.admin, fields={"is_restricted": True})

        for act in (
            lambda: update(incident, by=self.outsider, fields={"title": "x"}),
            lambda: comment(incident, "x", by=self.outsider),
            lambda: subscribe(incident, self.outsider, by=self.outsider),
        ):
            with self.assertRaises(NotFound):
                act()
        with self.assertRaises((NotFound, Conflict)):
            link(make_incident(), incident, LinkKind.DUPLICATE_OF, by=self.outsider)
