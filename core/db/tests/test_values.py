"""What is to_db_value of a value is what Django would send, or for JSON, the same values."""

import datetime as dt
import enum
import json
import uuid
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, models
from django.db.models.functions import Now
from django.test import SimpleTestCase

from core.db.values import to_db_value
from users.models import Role, User

ZURICH = dt.timezone(dt.timedelta(hours=1))
NOON = dt.datetime(2026, 3, 29, 12, 0, 0, 123, tzinfo=dt.UTC)


class Level(enum.IntEnum):
    HIGH = 3


class Plain(str):
    pass


class SentTests(SimpleTestCase):
    def test_it_sends_what_django_sends(self) -> None:
        values: dict[models.Field[Any, Any], tuple[Any, ...]] = {
            models.CharField(): ("", "Zürich 😀", "'\\%s", Role.ADMIN, Plain("x"), 7, None),
            models.TextField(): ("a" * 100_000, "\0", 1.5, None),
            models.IntegerField(): (0, -1, 2**63 - 1, True, Level.HIGH, "12", 1.0, None),
            models.PositiveSmallIntegerField(): (3, Level.HIGH, None),
            models.BooleanField(): (True, False, 1, 0, "True", None),
            models.DateTimeField(): (
                *(NOON, NOON.replace(microsecond=0), NOON.astimezone(ZURICH), NOON.replace(hour=0, minute=0)),
                None,
            ),
            models.UUIDField(): (uuid.UUID(int=7), None),
            models.FloatField(): (1.5, None),
        }
        for field, given in values.items():
            for value in given:
                with self.subTest(field=type(field).__name__, value=value):
                    expected = field.get_db_prep_save(value, connection)

                    found = to_db_value(field)(value)

                    self.assertEqual((found, type(found)), (expected, type(expected)))

    def test_it_sends_keys_of_other_rows(self) -> None:
        field = Group.permissions.through._meta.get_field("group")

        self.assertEqual([to_db_value(field)(value) for value in (7, "7", None)], [7, 7, None])

    def test_it_sends_the_same_json(self) -> None:
        for value in (
            *({}, [], {"a": [1, 2.5, None, True, "ü😀", {"b": '\u2028\\"'}]}, ("a", 1), "text", 7, None),
            *({1: "number"}, {"big": 2**70}, {"lone": "\ud800"}, {"level": Level.HIGH, "role": Role.ADMIN}),
            {"plain": Plain("x")},
        ):
            with self.subTest(value=value):
                field = models.JSONField()
                expected = field.get_db_prep_save(value, connection)

                found = to_db_value(field)(value)

                self.assertEqual(type(found), type(expected))
                self.assertEqual(found and json.loads(found), expected and json.loads(expected))

    def test_it_writes_json_that_every_database_takes(self) -> None:
        for value, expected in (
            ({"a": float("nan")}, {"a": None}),
            ({"a": uuid.UUID(int=7)}, {"a": str(uuid.UUID(int=7))}),
        ):
            with self.subTest(value=value):
                self.assertEqual(json.loads(to_db_value(models.JSONField())(value)), expected)

    def test_it_refuses_what_django_refuses(self) -> None:
        for field, value, error in (
            (models.IntegerField(), "seven", ValueError),
            (models.JSONField(), {"at": NOON}, TypeError),
            (models.ForeignKey(User, models.CASCADE), "x", ValueError),
        ):
            with self.subTest(field=type(field).__name__), self.assertRaises(error):
                to_db_value(field)(value)

    def test_it_leaves_expressions_to_the_database(self) -> None:
        now = Now()

        self.assertIs(to_db_value(models.DateTimeField())(now), now)
