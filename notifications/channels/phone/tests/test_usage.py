import datetime as dt

from django.test import TestCase, override_settings

from notifications.channels.phone.usage import admit
from notifications.models import PhoneUsage

NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
SWISS, OTHER_SWISS, BRITISH = "+41791234567", "+41791234568", "+447911123456"


@override_settings(PHONE_DAILY_PER_NUMBER=0, PHONE_DAILY_PER_PERSON=0, PHONE_DAILY_PER_COUNTRY=0)
class UsageTests(TestCase):
    def test_it_caps_what_goes_to_one_number(self):
        with override_settings(PHONE_DAILY_PER_NUMBER=2):
            answers = [admit(user, SWISS, NOON) for user in (1, 2, 3)]

            self.assertEqual(answers[:2], ["", ""])
            self.assertIn("PHONE_DAILY_PER_NUMBER", answers[2])
            self.assertNotIn("123456", answers[2])
            self.assertEqual(admit(1, OTHER_SWISS, NOON), "")

    def test_it_caps_what_goes_to_one_person(self):
        with override_settings(PHONE_DAILY_PER_PERSON=2):
            answers = [admit(1, number, NOON) for number in (SWISS, OTHER_SWISS, BRITISH)]

            self.assertIn("PHONE_DAILY_PER_PERSON", answers[2])
            self.assertEqual(admit(2, SWISS, NOON), "")

    def test_it_caps_what_goes_to_one_country(self):
        with override_settings(PHONE_DAILY_PER_COUNTRY=1):
            self.assertEqual(admit(1, SWISS, NOON), "")
            self.assertIn("PHONE_DAILY_PER_COUNTRY", admit(2, OTHER_SWISS, NOON))
            self.assertEqual(admit(3, BRITISH, NOON), "")

    def test_it_begins_anew_each_day(self):
        with override_settings(PHONE_DAILY_PER_NUMBER=1):
            answers = [admit(1, SWISS, NOON + dt.timedelta(hours=hours)) for hours in (0, 11, 12)]

            self.assertEqual([bool(answer) for answer in answers], [False, True, False])

    def test_it_counts_no_refusals_and_forgets_old_days(self):
        with override_settings(PHONE_DAILY_PER_NUMBER=1):
            for day in range(20):
                for _ in range(2):
                    admit(None, SWISS, NOON + dt.timedelta(days=day))

        self.assertEqual(set(PhoneUsage.objects.values_list("count", flat=True)), {1})
        self.assertEqual(PhoneUsage.objects.count(), 2 * 8)
