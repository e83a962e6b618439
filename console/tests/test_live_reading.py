import datetime as dt
from unittest import mock

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import TestCase
from django.utils import timezone

from console.live import reading
from console.live.inbox import InboxWatch
from console.live.reading import Asked, Reader
from console.live.viewers import load_viewers
from incidents.services import feed
from incidents.tests.factories import make_incident
from notifications.models import Notification
from notifications.services import inbox
from notifications.vocabulary import Kind
from users.tests.factories import make_admin, make_responder


def session_of(user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


class ViewerTests(TestCase):
    def setUp(self):
        self.user = make_responder()
        self.session = session_of(self.user)
        self.key = self.session.session_key

    def watches(self):
        return self.key in load_viewers([self.key, "none"])

    def test_it_knows_people_by_their_session(self):
        self.assertEqual(load_viewers([self.key])[self.key].user, self.user)

    def test_it_ends_with_the_session(self):
        self.session.flush()

        self.assertFalse(self.watches())

    def test_it_ends_when_the_session_expires(self):
        self.session.set_expiry(timezone.now() - dt.timedelta(seconds=1))
        self.session.save()

        self.assertFalse(self.watches())

    def test_it_ends_with_a_new_password(self):
        self.user.set_password("another one for this test")
        self.user.save()

        self.assertFalse(self.watches())

    def test_it_ends_when_access_ends(self):
        self.user.access_epoch += 1
        self.user.save()
        self.assertFalse(self.watches())

    def test_it_ends_with_the_account(self):
        self.user.is_active = False
        self.user.save()

        self.assertFalse(self.watches())

    def test_it_asks_twice_for_any_number(self):
        keys = [session_of(make_responder()).session_key for _ in range(5)]

        with self.assertNumQueries(2):
            self.assertEqual(len(load_viewers(keys)), 5)


@mock.patch.object(reading, "close_old_connections")
class ReaderTests(TestCase):
    def setUp(self):
        self.key = session_of(make_admin()).session_key
        self.reader = Reader()

    def happen(self, times=1):
        for _ in range(times):
            make_incident()
        feed.assign_places()

    def join(self, place):
        (joined,) = self.reader.look(Asked([(self.key, place)])).joined
        return joined

    def test_it_begins_at_the_head(self, _):
        self.happen()
        found = self.reader.look(Asked([(self.key, None)]))

        self.assertEqual((found.position, found.entries), (feed.head(), []))
        self.assertEqual(found.joined[0].entries, ())

    def test_it_finds_what_is_new_once(self, _):
        self.reader.look(Asked())
        self.happen(2)

        self.assertEqual([entry.seq for entry in self.reader.look(Asked()).entries], list(range(1, feed.head() + 1)))
        self.assertEqual(self.reader.look(Asked()).entries, [])

    def test_it_goes_on_where_somebody_was(self, _):
        self.happen(3)
        joined = self.join(1)

        self.assertEqual([entry.seq for entry in joined.entries], list(range(2, feed.head() + 1)))
        self.assertFalse(joined.is_too_far)

    def test_it_adds_what_came_since_to_what_it_keeps(self, _):
        self.happen(2)
        self.join(1)
        self.happen()

        self.assertEqual([entry.seq for entry in self.join(1).entries], list(range(2, feed.head() + 1)))

    def test_it_reads_what_many_missed_once(self, _):
        self.happen(2)
        with mock.patch.object(reading, "read_entries", wraps=reading.read_entries) as read:
            self.reader.look(Asked([(self.key, place) for place in (0, 1, 0, 1)]))

        self.assertEqual(read.call_count, 2)

    def test_it_forgets_what_it_kept(self, _):
        self.happen()
        self.join(0)
        with mock.patch.object(reading, "REPLAY_SECONDS", 0):
            self.reader.look(Asked())

        self.assertIsNone(self.reader._replay)

    def test_it_says_where_too_much_was_missed(self, _):
        self.happen(2)
        with mock.patch.object(reading, "REPLAY_MOST", 1):
            self.assertTrue(self.join(0).is_too_far)
        for place in (-1, feed.head() + 1):
            self.assertTrue(self.join(place).is_too_far)

    def test_it_lets_nobody_in_without_a_session(self, _):
        (joined,) = self.reader.look(Asked([("none", None)])).joined

        self.assertIsNone(joined.viewer)

    def test_it_checks_everybody_again(self, _):
        viewers = load_viewers([self.key])
        self.assertIsNone(self.reader.look(Asked(present=viewers.values())).current)
        with mock.patch.object(reading, "RECHECK_SECONDS", 0):
            self.assertEqual(set(self.reader.look(Asked(present=viewers.values())).current), {self.key})
        self.assertLessEqual(reading.RECHECK_SECONDS, 60)


class InboxTests(TestCase):
    def setUp(self):
        self.user, self.other = make_responder(), make_responder()
        self.watch = InboxWatch()

    def notify(self, cause):
        inbox.put_entries([inbox.new_entry(cause, self.user.pk, Kind.NOTICE, "Assigned", at=timezone.now())])

    def changes(self):
        self.watch._looked = -10_000.0
        return self.watch.changes({self.user.pk, self.other.pk})

    def test_it_tells_newcomers(self):
        self.notify("one")

        self.assertEqual(self.changes(), {self.user.pk: 1, self.other.pk: 0})

    def test_it_tells_changes_only(self):
        self.changes()
        self.assertEqual(self.changes(), {})
        self.notify("one")
        self.assertEqual(self.changes(), {self.user.pk: 1})
        self.assertEqual(self.changes(), {})

        inbox.mark_read(self.user, timezone.now())
        self.assertEqual(self.changes(), {self.user.pk: 0})
        self.assertEqual(Notification.objects.count(), 1)
