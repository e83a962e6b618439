from django.test import TestCase

from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from incidents.models import Incident, IncidentLink, LinkKind, Status
from incidents.services import delete, history, link, subscribe, transition, unlink
from incidents.tests.factories import kinds_of, make_incident, make_team
from users.tests.factories import make_admin, make_reporter, make_responder


class LinkTests(TestCase):
    def test_it_tells_both_incidents(self) -> None:
        incident, target = make_incident(), make_incident()

        link(incident, target, LinkKind.CAUSED_BY, by=None)

        self.assertEqual(incident.events.get(seq=2).data, {"link": "caused_by", "incident": target.reference})
        self.assertEqual(
            target.events.get(seq=2).data,
            {"link": "caused_by", "incident": incident.reference, "is_from_there": True},
        )
        for row in (incident, target):
            self.assertIsNone(history.verify(row))
            self.assertEqual(Incident.objects.get(pk=row.pk).status, Status.OPEN)

    def test_it_refuses_what_is_linked_already_or_to_itself(self) -> None:
        incident, target = make_incident(), make_incident()
        link(incident, target, LinkKind.RELATED_TO, by=None)

        with self.assertRaises(Conflict):
            link(incident, target, LinkKind.RELATED_TO, by=None)
        with self.assertRaises(DomainError):
            link(incident, incident, LinkKind.RELATED_TO, by=None)

        self.assertEqual(kinds_of(target), ["created", "linked"])

    def test_it_finds_nothing_where_either_was_deleted(self) -> None:
        incident, gone = make_incident(), make_incident()
        delete(gone, by=None)
        for pair in ((incident, gone), (gone, incident)):
            with self.subTest(pair=pair), self.assertRaises(NotFound):
                link(*pair, LinkKind.RELATED_TO, by=None)

    def test_it_asks_who_works_on_the_incident(self) -> None:
        member, other = make_responder(), make_responder()
        incident = make_incident(by=make_admin(), team=make_team("Network", member))
        for by in (other, make_reporter()):
            with self.subTest(by=by), self.assertRaises(PermissionRefused):
                link(incident, make_incident(), LinkKind.RELATED_TO, by=by)

        link(incident, make_incident(), LinkKind.RELATED_TO, by=member)


class DuplicateTests(TestCase):
    def test_it_resolves_the_duplicate_and_moves_its_followers(self) -> None:
        reporter, follower, both = make_reporter(), make_responder(), make_responder()
        incident, original = make_incident(by=reporter), make_incident()
        for follows, person in ((incident, follower), (incident, both), (original, both)):
            subscribe(follows, person, by=None)

        link(incident, original, LinkKind.DUPLICATE_OF, by=make_admin())

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual(stored.status, Status.RESOLVED)
        self.assertIsNotNone(stored.acknowledged_at)
        self.assertEqual(stored.events.get(kind="resolved").body, f"Duplicate of {original.reference}.")
        self.assertEqual(
            set(original.subscriptions.values_list("user", flat=True)),
            {original.reporter_id, reporter.pk, follower.pk, both.pk},
        )
        self.assertIn(original, Incident.objects.visible_to(reporter))
        self.assertEqual(Incident.objects.get(pk=original.pk).status, Status.OPEN)

    def test_it_tells_the_original_who_follows_it_now(self) -> None:
        reporter, both = make_reporter(), make_responder()
        incident, original = make_incident(by=reporter), make_incident()
        for row in (incident, original):
            subscribe(row, both, by=None)

        link(incident, original, LinkKind.DUPLICATE_OF, by=make_admin(name="Alice"))

        told = original.events.filter(kind="subscribed", actor_name="Alice")
        self.assertEqual([event.data for event in told], [{"user": {"id": reporter.pk, "name": reporter.name}}])
        self.assertIsNone(history.verify(original))

    def test_it_opens_what_is_restricted_only_for_those_who_work_on_it(self) -> None:
        follower, member, reporter = make_responder(), make_responder(), make_reporter()
        incident = make_incident(by=reporter)
        original = make_incident(is_restricted=True, by=make_admin(), team=make_team("Security", member))
        subscribe(original, follower, by=None)

        with self.assertRaises(PermissionRefused):
            link(incident, original, LinkKind.DUPLICATE_OF, by=follower)
        self.assertNotIn(original, Incident.objects.visible_to(reporter))
        link(incident, original, LinkKind.RELATED_TO, by=follower)
        link(incident, original, LinkKind.DUPLICATE_OF, by=member, grants_access=True)

        self.assertIn(original, Incident.objects.visible_to(reporter))
        self.assertEqual(original.events.get(kind="subscribed", actor=member).data["user"]["id"], reporter.pk)

    def test_it_leaves_what_is_resolved_as_it_is(self) -> None:
        incident = transition(make_incident(), Status.RESOLVED, by=None)

        link(incident, make_incident(), LinkKind.DUPLICATE_OF, by=None)

        self.assertEqual(kinds_of(incident), ["created", "resolved", "linked"])

    def test_it_refuses_circles(self) -> None:
        first, second, third = make_incident(), make_incident(), make_incident()
        link(first, second, LinkKind.DUPLICATE_OF, by=None)
        link(second, third, LinkKind.DUPLICATE_OF, by=None)

        for pair in ((second, first), (third, second), (third, first)):
            with self.subTest(pair=pair), self.assertRaises(Conflict):
                link(*pair, LinkKind.DUPLICATE_OF, by=None)
        link(third, first, LinkKind.RELATED_TO, by=None)

        self.assertEqual(Incident.objects.get(pk=third.pk).status, Status.OPEN)


class UnlinkTests(TestCase):
    def test_it_takes_a_link_back(self) -> None:
        incident, target = make_incident(), make_incident()
        created = link(incident, target, LinkKind.DUPLICATE_OF, by=None)

        unlink(incident, created.pk, by=None)

        self.assertFalse(IncidentLink.objects.exists())
        self.assertEqual(kinds_of(incident)[-1], "unlinked")
        self.assertEqual(Incident.objects.get(pk=incident.pk).status, Status.RESOLVED)
        link(target, incident, LinkKind.DUPLICATE_OF, by=None)

    def test_it_tells_both_incidents(self) -> None:
        incident, target = make_incident(), make_incident()
        created = link(incident, target, LinkKind.CAUSED_BY, by=None)

        unlink(incident, created.pk, by=None)

        facts = {"link": "caused_by", "incident": target.reference}
        mirrored = {"link": "caused_by", "incident": incident.reference, "is_from_there": True}
        for row, expected in ((incident, facts), (target, mirrored)):
            self.assertEqual(row.events.get(kind="unlinked").data, expected)
            self.assertIsNone(history.verify(row))

    def test_it_takes_back_a_link_to_what_was_deleted(self) -> None:
        incident, target = make_incident(), make_incident()
        created = link(incident, target, LinkKind.RELATED_TO, by=None)
        delete(target, by=None)

        unlink(incident, created.pk, by=None)

        self.assertFalse(IncidentLink.objects.exists())
        self.assertNotIn("unlinked", kinds_of(target))

    def test_it_finds_no_link_of_another_incident(self) -> None:
        incident, target = make_incident(), make_incident()
        created = link(incident, target, LinkKind.RELATED_TO, by=None)

        for row, pk in ((target, created.pk), (incident, created.pk + 1)):
            with self.subTest(row=row), self.assertRaises(NotFound):
                unlink(row, pk, by=None)

    def test_it_asks_who_works_on_the_incident(self) -> None:
        incident = make_incident()
        created = link(incident, make_incident(), LinkKind.RELATED_TO, by=None)

        with self.assertRaises(PermissionRefused):
            unlink(incident, created.pk, by=make_reporter())
