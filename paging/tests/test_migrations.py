from importlib import import_module

from django.apps import apps
from django.test import TestCase

from incidents.models import FeedCursor

begin_at_the_head = import_module("paging.migrations.0003_begin_at_the_head").begin_at_the_head


class BeginAtTheHeadTests(TestCase):
    def test_it_passes_over_what_came_before(self) -> None:
        FeedCursor.objects.create(name="head", position=41)

        begin_at_the_head(apps, None)

        self.assertEqual(FeedCursor.objects.get(name="escalation").position, 41)

    def test_it_leaves_a_reader_where_it_is(self) -> None:
        FeedCursor.objects.create(name="head", position=41)
        FeedCursor.objects.create(name="escalation", position=12)

        begin_at_the_head(apps, None)

        self.assertEqual(FeedCursor.objects.get(name="escalation").position, 12)
