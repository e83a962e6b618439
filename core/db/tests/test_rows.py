from unittest import mock

from django.contrib.auth.models import Group
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import CharField, QuerySet
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from core.db import rows
from core.db.faults import is_too_large
from core.db.prepared import Parameter
from users.models import User
from users.tests.factories import make_reporter


class InsertTests(TestCase):
    def test_it_writes_what_a_save_would(self) -> None:
        straight = Group(name="Zürich's <b>night</b> shift")

        rows.insert(straight)

        self.assertEqual(Group.objects.get(), straight)
        self.assertEqual(Group.objects.get().name, "Zürich's <b>night</b> shift")
        self.assertFalse(straight._state.adding)

    def test_it_writes_several_in_one_statement(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            rows.insert(*(Group(name=name) for name in ("a", "b", "c")))

        self.assertEqual(len(queries), 1)
        self.assertEqual(sorted(Group.objects.values_list("name", flat=True)), ["a", "b", "c"])

    def test_it_tells_each_row_its_id(self) -> None:
        for returns in (connection.features.can_return_rows_from_bulk_insert, False):
            if not returns and connection.vendor != "mysql":
                continue  # SQLite returns them always
            with mock.patch.object(type(connection.features), "can_return_rows_from_bulk_insert", returns):
                groups = [Group(name=f"{returns} {number}") for number in range(50)]

                with mock.patch.object(rows, "CHUNK", 20):
                    rows.insert(*groups)

                stored = dict(Group.objects.filter(name__startswith=f"{returns} ").values_list("name", "pk"))
                self.assertEqual({group.name: group.pk for group in groups}, stored)

    def test_it_writes_as_much_in_one_statement_as_a_database_takes(self) -> None:
        names = ["a" * 40, "b" * 40, "c" * 150, "ä" * 20, "d"]

        with mock.patch.object(rows, "MAX_BYTES", 100), CaptureQueriesContext(connection) as queries:
            rows.insert(*(Group(name=name) for name in names))

        self.assertEqual([query["sql"].count("), (") + 1 for query in queries], [2, 1, 2])
        self.assertEqual(list(Group.objects.order_by("pk").values_list("name", flat=True)), names)

    def test_it_refuses_what_the_database_can_never_hold(self) -> None:
        if connection.vendor != "mysql":
            self.skipTest("SQLite takes a billion bytes.")
        values: list[object] = [b"x" * 300]

        with (
            mock.patch.object(rows, "MAX_BYTES", 100),
            mock.patch.object(rows, "_most_bytes", return_value=299),
            self.assertRaises(OperationalError) as caught,
        ):
            rows._shorten(values)

        self.assertTrue(is_too_large(caught.exception))

    def test_it_asks_nothing_where_there_is_nothing_to_insert(self) -> None:
        with self.assertNumQueries(0):
            rows.insert()

    def test_it_refuses_what_is_there_already(self) -> None:
        rows.insert(Group(name="night"))

        with self.assertRaises(IntegrityError), transaction.atomic():
            rows.insert(Group(name="night"))


class SelectTests(TestCase):
    def named(self, name: str) -> list[Group]:
        return rows.select(Group, "named", lambda: Group.objects.filter(name=Parameter("name", CharField())), name=name)

    def test_it_reads_whole_rows(self) -> None:
        night, _day = Group.objects.create(name="night"), Group.objects.create(name="day")

        with self.assertNumQueries(1):
            [found] = self.named("night")

        self.assertEqual((found, found.name, found._state.adding), (night, "night", False))

    def test_it_finds_nothing_where_nothing_matches(self) -> None:
        Group.objects.create(name="night")

        self.assertEqual(self.named("day"), [])


class UpdateTests(TestCase):
    def test_it_writes_the_named_fields_only(self) -> None:
        user = make_reporter(name="Old")
        user.name, user.role = "New", "admin"

        rows.update(user, ["name"])

        user.refresh_from_db()
        self.assertEqual((user.name, user.role), ("New", "reporter"))


class UpdateManyTests(TestCase):
    def test_it_writes_each_row_its_own_values(self) -> None:
        people = [make_reporter(name=f"Person {number}", language="en") for number in range(3)]
        for person in people:
            person.name, person.language = f"{person.name}!", "unwritten"

        rows.update_many(people, ["name"])

        stored = User.objects.order_by("pk").values_list("name", "language")
        self.assertEqual(list(stored), [("Person 0!", "en"), ("Person 1!", "en"), ("Person 2!", "en")])

    def test_it_writes_as_much_in_one_statement_as_a_database_takes(self) -> None:
        groups = [Group.objects.create(name=str(number)) for number in range(5)]
        names = ["a" * 40, "b" * 40, "c" * 150, "ä" * 20, "d"]
        for group, name in zip(groups, names, strict=True):
            group.name = name

        with mock.patch.object(rows, "MAX_BYTES", 100), CaptureQueriesContext(connection) as queries:
            rows.update_many(groups, ["name"])

        self.assertEqual([query["sql"].count("WHEN") for query in queries], [2, 1, 2])
        self.assertEqual(list(Group.objects.order_by("pk").values_list("name", flat=True)), names)

    def test_it_does_nothing_for_no_rows(self) -> None:
        with self.assertNumQueries(0):
            rows.update_many([], ["name"])
            rows.insert()


class SelectInTests(TestCase):
    def test_it_reads_whole_rows_in_the_fields_order(self) -> None:
        made = {name: Group.objects.create(name=name) for name in ("c", "a", "b")}

        with self.assertNumQueries(1):
            found = rows.select_in(Group, "name", ["c", "a", "missing"])

        self.assertEqual(found, [made["a"], made["c"]])
        self.assertFalse(found[0]._state.adding)

    def test_it_locks_in_the_order_of_the_primary_keys(self) -> None:
        made = {name: Group.objects.create(name=name) for name in ("c", "a", "b")}
        locks = connection.features.has_select_for_update

        with CaptureQueriesContext(connection) as queries:
            found = rows.select_in(Group, "name", ["c", "a", "missing"], lock=True)

        self.assertEqual(found, [made["a"], made["c"]])
        locking = [query["sql"] for query in queries if query["sql"].endswith("`id` FOR UPDATE")]
        self.assertEqual((len(queries), len(locking)), (2, 1) if locks else (1, 0))

    def test_it_converts_what_it_reads(self) -> None:
        person = make_reporter()

        [found] = rows.select_in(User, "id", [person.pk])

        self.assertEqual({**vars(found), "_state": 0}, {**vars(User.objects.get(pk=person.pk)), "_state": 0})

    def test_it_asks_nothing_where_nothing_is_wanted(self) -> None:
        with self.assertNumQueries(0):
            self.assertEqual(rows.select_in(Group, "name", []), [])


class ReadingTests(TestCase):
    def test_it_returns_rows_by_id_without_those_that_are_gone(self) -> None:
        groups = [Group.objects.create(name=name) for name in "ab"]

        found = rows.by_id(Group, [groups[0].pk, groups[1].pk, groups[0].pk, 0])

        self.assertEqual(found, {group.pk: group for group in groups})

    def test_it_says_whether_a_query_finds_any_row(self) -> None:
        def named() -> QuerySet[Group]:
            return Group.objects.filter(name=Parameter("name", CharField()))

        Group.objects.create(name="a")

        self.assertEqual([rows.is_any(Group, "named", named, name=name) for name in "ab"], [True, False])

    def test_it_locks_those_that_are_there_in_order(self) -> None:
        groups = [Group.objects.create(name=name) for name in "ab"]

        found = rows.lock_available_in(Group, [groups[1].pk, groups[0].pk, 0])

        self.assertEqual((found, rows.lock_available_in(Group, [])), (groups, []))
