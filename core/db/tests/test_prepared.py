import datetime as dt
import uuid
from unittest import mock

from cachetools import LRUCache
from django.db import transaction
from django.db.models import Max, UUIDField
from django.db.transaction import TransactionManagementError
from django.test import TestCase, TransactionTestCase

from core.db import prepared as module
from core.db.prepared import Parameter, prepared
from users.models import Session, User
from users.tests.factories import make_admin, make_reporter


class PreparedTests(TestCase):
    def setUp(self) -> None:
        kept = mock.patch.dict(module._kept, clear=True)
        kept.start()
        self.addCleanup(kept.stop)

    def test_it_gives_what_the_queryset_would(self) -> None:
        for person in (make_admin(), make_reporter(last_login=dt.datetime(2026, 3, 2, 10, 0, 0, 5, tzinfo=dt.UTC))):
            Session.objects.create(user=person, current_jti="x", expires_at=person.created_at, id=uuid.uuid4())
        columns = ["id", "user__name", "expires_at", "revoked_at", "user__is_active", "user__last_login"]
        queryset = Session.objects.order_by("created_at").values(*columns)

        found = prepared("sessions", lambda: queryset).dicts()

        self.assertEqual(found, list(queryset))
        self.assertEqual([type(value) for value in found[1].values()], [type(value) for value in queryset[1].values()])

    def test_it_asks_with_the_values_of_each_time(self) -> None:
        names = {make_admin(name="Alice").pk: "Alice", make_reporter(name="Bob").pk: "Bob"}

        def build() -> object:
            return (
                User.objects.filter(pk__in=[Parameter("one"), Parameter("other")]).order_by("name").values_list("name")
            )

        alice, bob = names

        with self.assertNumQueries(3):
            found = [
                prepared("names", build).rows(one=one, other=other) for one, other in ((alice, bob), (bob, bob), (0, 0))
            ]

        self.assertEqual(found, [[["Alice"], ["Bob"]], [["Bob"]], []])

    def test_it_sends_a_value_as_its_column_holds_it(self) -> None:
        session = Session.objects.create(user=make_admin(), current_jti="x", expires_at=dt.datetime.now(dt.UTC))
        mine = Session.objects.filter(pk=Parameter("pk", UUIDField())).values_list("id")

        found = prepared("session", lambda: mine).rows(pk=session.pk)

        self.assertEqual(found, [[session.pk]])

    def test_it_builds_once_for_a_key(self) -> None:
        build = mock.Mock(side_effect=lambda: User.objects.values("name"))

        first, again = prepared("people", build), prepared("people", build)
        other = prepared("other people", build)

        self.assertIs(first, again)
        self.assertIsNot(first, other)
        self.assertEqual(build.call_count, 2)

    def test_it_sees_what_changed_since(self) -> None:
        person = make_admin(name="Alice")
        prepared("people", lambda: User.objects.values("name")).dicts()
        User.objects.filter(pk=person.pk).update(name="Alicia")

        found = prepared("people", lambda: User.objects.values("name")).dicts()

        self.assertEqual(found, [{"name": "Alicia"}])

    def test_it_keeps_what_is_asked_all_day_long(self) -> None:
        build = mock.Mock(side_effect=lambda: User.objects.values("name"))

        with mock.patch.object(module, "_kept", LRUCache(3)) as kept:
            for number in range(10):
                prepared("people", build)
                prepared(("asked once", number), lambda: User.objects.values("name"))

        self.assertEqual((build.call_count, len(kept)), (1, 3))

    def test_it_may_be_asked_without_being_prepared_where_the_value_is_there(self) -> None:
        alice = make_admin(name="Alice")
        make_reporter(name="Bob")
        after = Parameter("after", value=alice.pk)
        queryset = User.objects.filter(pk__gt=after).values("name")

        found = [list(queryset), prepared("after", lambda: queryset).dicts(after=0), list(queryset)]

        self.assertEqual(found, [[{"name": "Bob"}], [{"name": "Alice"}, {"name": "Bob"}], [{"name": "Bob"}]])

    def test_it_asks_nothing_where_nothing_can_match(self) -> None:
        nothing = prepared("nobody", lambda: User.objects.none().values("name"))

        with self.assertNumQueries(0):
            found = nothing.dicts()

        self.assertEqual(found, [])

    def test_it_starts_anew_when_it_is_full(self) -> None:
        with mock.patch.object(module, "_kept", LRUCache(3)) as kept:
            for number in range(10):
                prepared(number, lambda: User.objects.values("name"))

        self.assertLessEqual(len(kept), 3)

    def test_it_refuses_what_it_cannot_convert(self) -> None:
        newest = User.objects.values("role").annotate(newest=Max("created_at"))

        with self.assertRaises(TypeError):
            prepared("newest", lambda: newest)


class LockTests(TransactionTestCase):
    def test_it_locks_within_a_transaction_or_not_at_all(self) -> None:
        with transaction.atomic():
            locking = prepared("locked", lambda: User.objects.select_for_update().values("name"))
            locking.dicts()

        with self.assertRaises(TransactionManagementError):
            locking.dicts()
