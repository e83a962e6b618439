from django.test import TestCase

from notifications.services.reach import deliveries_of, describe_reach
from notifications.tests.factories import make_method, make_page, make_room, make_rule, now
from notifications.tests.fakes import Script, fake_channel, only_channels
from users.tests.factories import make_responder


class ReachTests(TestCase):
    def setUp(self) -> None:
        self.enterContext(only_channels(fake_channel("fake", Script()), fake_channel("sms", Script())))
        self.ana = make_responder(name="Ana")
        self.fake = make_method(self.ana, "fake", "ana@home.example", label="my sofa")
        self.sms = make_method(self.ana, "sms", "+41791234567")
        make_rule(self.ana, (self.fake, 0), (self.sms, 5))

    def test_it_says_by_which_kinds_of_methods_people_are_reached(self) -> None:
        found = describe_reach([self.ana.pk], "high", now())

        self.assertEqual([(way.method, way.after_minutes) for way in found[self.ana.pk]], [("fake", 0), ("sms", 5)])

    def test_it_shows_others_no_address(self) -> None:
        page = make_page(self.ana)

        shown = deliveries_of([page])[page.pk]

        self.assertEqual([(one["channel"], one["recipient"]) for one in shown], [("fake", "Ana"), ("sms", "Ana")])

    def test_it_names_rooms(self) -> None:
        room = make_room("operations")
        page = make_page(target_kind="channel", target_id=room.pk, target_name=room.name)

        self.assertEqual([one["recipient"] for one in deliveries_of([page])[page.pk]], ["operations"])
