from typing import Any

from django.test import TestCase

from incidents.serializers.incidents import IncidentCreateSerializer, IncidentUpdateSerializer
from incidents.tests.factories import make_team


def codes_of(**fields: Any) -> dict[str, list[str]]:
    serializer = IncidentCreateSerializer(data={"title": "Power is out", **fields})
    serializer.is_valid()
    return {name: [error.code for error in errors] for name, errors in serializer.errors.items()}


class FieldTests(TestCase):
    def test_it_refuses_rows_that_are_not_there(self) -> None:
        for team in (0, -1, 12345, 2**63, 2**80):
            with self.subTest(team=team):
                self.assertEqual(codes_of(team=team), {"team": ["does_not_exist"]})
        for team in (1.0, "x", True, [1], {"id": 1}):
            with self.subTest(team=team):
                self.assertEqual(codes_of(team=team), {"team": ["incorrect_type"]})

    def test_it_takes_ids_as_numbers_or_as_forms_send_them(self) -> None:
        team = make_team("Network")

        self.assertEqual([codes_of(team=team.pk), codes_of(team=str(team.pk))], [{}, {}])

    def test_it_refuses_categories_that_are_not_there(self) -> None:
        self.assertEqual(codes_of(category="none-such"), {"category": ["does_not_exist"]})
        self.assertEqual(codes_of(category="\ud800"), {"category": ["invalid"]})

    def test_it_refuses_broken_characters(self) -> None:
        self.assertEqual(codes_of(title="half \ud83d of one"), {"title": ["surrogate"]})
        self.assertEqual(codes_of(description="no\0thing"), {"description": ["null_characters_not_allowed"]})

    def test_it_gives_each_serializer_fields_of_its_own(self) -> None:
        first, second = IncidentUpdateSerializer(data={}), IncidentUpdateSerializer(data={}, partial=True)

        self.assertIs(first.fields["title"].parent, first)
        self.assertIs(second.fields["title"].parent, second)
        self.assertEqual((first.is_valid(), second.is_valid()), (False, True))
