from unittest import mock

from django.db import connection
from django.test import TestCase

from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from incidents.models import Incident, IncidentEvent, Status, Visibility
from incidents.services import comment, comment_and_move, delete, subscribe, transition, unsubscribe
from incidents.tests.factories import MONDAY, kinds_of, make_incident, make_team
from users.tests.factories import make_admin, make_reporter, make_responder


class CommentTests(TestCase):
    def test_it_adds_an_update(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)

        event = comment(incident, "Any news?", by=reporter, at=MONDAY)

        self.assertEqual((event.seq, event.body, event.occurred_at), (2, "Any news?", MONDAY))
        self.assertEqual((event.visibility, event.actor), (Visibility.PUBLIC, reporter))
        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual((stored.event_count, stored.version), (2, 1))

    def test_it_tells_the_updates_id_where_the_database_does_not(self) -> None:
        """MySQL, unlike MariaDB, does not answer an insert of several rows with their ids."""
        with mock.patch.object(type(connection.features), "can_return_rows_from_bulk_insert", False):
            event = comment(make_incident(), "Here", by=None)

        self.assertEqual(IncidentEvent.objects.get(body="Here").pk, event.pk)

    def test_it_leaves_internal_updates_to_those_who_work(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)
        for by in (None, make_responder(), make_admin()):
            comment(incident, "Between us", by=by, visibility=Visibility.INTERNAL)

        with self.assertRaises(PermissionRefused):
            comment(incident, "Between us", by=reporter, visibility=Visibility.INTERNAL)

        self.assertEqual(kinds_of(incident), ["created", "comment", "comment", "comment"])

    def test_it_shows_internal_updates_to_those_who_work(self) -> None:
        incident = make_incident()
        comment(incident, "For all", by=None)
        comment(incident, "Between us", by=None, visibility=Visibility.INTERNAL)

        for reader, count in ((make_reporter(), 2), (make_responder(), 3), (make_admin(), 3)):
            with self.subTest(reader=reader):
                self.assertEqual(incident.events.all().readable_by(reader).count(), count)

    def test_it_wants_words(self) -> None:
        for message in ("", " \n"):
            with self.subTest(message=message), self.assertRaises(DomainError):
                comment(make_incident(), message, by=None)

    def test_it_finds_nothing_where_the_incident_was_deleted(self) -> None:
        incident = make_incident()
        delete(incident, by=None)

        with self.assertRaises(NotFound):
            comment(incident, "Hello?", by=None)


class CommentAndMoveTests(TestCase):
    def test_it_makes_a_public_update_the_note_of_the_move(self) -> None:
        incident = make_incident()

        comment_and_move(incident, "Disk replaced.", Status.RESOLVED, by=make_responder())

        self.assertEqual(kinds_of(incident), ["created", "resolved"])
        self.assertEqual(incident.events.get(kind="resolved").body, "Disk replaced.")

    def test_it_keeps_an_internal_update_out_of_the_move(self) -> None:
        incident = make_incident()
        by = make_responder()
        transition(incident, Status.ACKNOWLEDGED, by=by)

        comment_and_move(incident, "Vendor asleep.", Status.ON_HOLD, by=by, visibility=Visibility.INTERNAL)

        self.assertEqual(kinds_of(incident)[2:], ["comment", "held"])
        self.assertEqual(incident.events.get(kind="comment").visibility, Visibility.INTERNAL)
        held = incident.events.get(kind="held")
        self.assertEqual((held.body, held.visibility), ("", Visibility.PUBLIC))

    def test_it_keeps_the_words_where_the_incident_is_there_already(self) -> None:
        incident = make_incident()
        by = make_responder()
        transition(incident, Status.RESOLVED, by=by)

        comment_and_move(incident, "Me too.", Status.RESOLVED, by=by)

        self.assertEqual(kinds_of(incident), ["created", "resolved", "comment"])

    def test_it_writes_nothing_where_the_move_is_refused(self) -> None:
        incident = make_incident()
        refusals = (
            (make_responder(), "Hm.", Status.CLOSED, Conflict),
            (make_responder(), " ", Status.RESOLVED, DomainError),
            (make_reporter(), "Fixed itself.", Status.RESOLVED, PermissionRefused),
        )

        for by, message, status, error in refusals:
            with self.subTest(error=error), self.assertRaises(error):
                comment_and_move(incident, message, status, by=by)

        self.assertEqual(kinds_of(incident), ["created"])


class SubscriptionTests(TestCase):
    def test_it_lets_a_person_follow(self) -> None:
        incident, person = make_incident(), make_responder()

        self.assertTrue(subscribe(incident, person, by=person))
        self.assertFalse(subscribe(incident, person, by=person))

        self.assertEqual(kinds_of(incident), ["created", "subscribed"])
        self.assertEqual(incident.events.get(seq=2).data["user"], {"id": person.pk, "name": person.name})

    def test_it_shows_the_incident_to_whoever_follows(self) -> None:
        incident, person = make_incident(is_restricted=True), make_reporter()

        subscribe(incident, person, by=make_admin())

        self.assertIn(incident, Incident.objects.visible_to(person))
        unsubscribe(incident, person, by=person)
        self.assertNotIn(incident, Incident.objects.visible_to(person))

    def test_it_lets_only_those_who_work_on_it_subscribe_others(self) -> None:
        member, other = make_responder(), make_responder()
        incident = make_incident(by=make_admin(), team=make_team("Network", member))

        for by in (other, make_reporter()):
            with self.subTest(by=by), self.assertRaises(PermissionRefused):
                subscribe(incident, make_reporter(), by=by)
        followed = make_reporter()
        self.assertTrue(subscribe(incident, followed, by=member))
        with self.assertRaises(PermissionRefused):
            unsubscribe(incident, followed, by=other)
        unsubscribe(incident, followed, by=member)

        self.assertEqual(kinds_of(incident), ["created", "subscribed", "unsubscribed"])

    def test_it_refuses_people_without_an_active_account(self) -> None:
        with self.assertRaises(DomainError):
            subscribe(make_incident(), make_reporter(is_active=False), by=None)

    def test_it_keeps_the_reporter(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter)

        with self.assertRaises(Conflict):
            unsubscribe(incident, reporter, by=reporter)

    def test_it_finds_nobody_who_does_not_follow(self) -> None:
        person = make_responder()

        with self.assertRaises(NotFound):
            unsubscribe(make_incident(), person, by=person)
