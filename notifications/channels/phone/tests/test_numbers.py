from django.test import SimpleTestCase, override_settings

from core.errors import DomainError
from notifications.channels.phone.numbers import country_of, mask, sms_number, voice_number


class NumberTests(SimpleTestCase):
    def test_it_stores_numbers_as_e164(self):
        for written, stored in {
            "+41 79 123 45 67": "+41791234567",
            " +1 (202) 555-0123 ": "+12025550123",
            "+49.170.1234567": "+491701234567",
            "+1 555 123 4567": "+15551234567",  # no range that the tables know
        }.items():
            with self.subTest(written):
                self.assertEqual(sms_number(written), stored)

    def test_it_says_why_a_number_is_refused(self):
        for written, reason in {
            "079 123 45 67": "plus sign",
            "ada@example.org": "not a phone number",
            "+41 79": "too short",
            "+1 202 555 0123 ext. 4": "extension",
            "+1 900 555 0123": "premium",
            "+49 30 123456": "landline",
        }.items():
            with self.subTest(written), self.assertRaises(DomainError) as caught:
                sms_number(written)
            self.assertIn(reason, caught.exception.message)
            self.assertEqual(caught.exception.field, "address")

    def test_it_calls_landlines(self):
        self.assertEqual(voice_number("+49 30 123456"), "+4930123456")

    @override_settings(SMS_COUNTRIES=["CH", "US"])
    def test_it_refuses_countries_that_are_not_allowed(self):
        self.assertEqual(sms_number("+41791234567"), "+41791234567")
        for number in ("+447911123456", "+1 876 555 0123"):  # Jamaica shares +1
            with self.subTest(number), self.assertRaisesMessage(DomainError, "SMS_COUNTRIES"):
                voice_number(number)

    def test_it_shows_the_country_code_and_two_digits(self):
        self.assertEqual(mask("+41791234567"), "+41 ••• 67")
        self.assertEqual(mask("nonsense"), "•••")

    def test_it_knows_a_numbers_country(self):
        self.assertEqual([country_of(number) for number in ("+41791234567", "+18765550123", "x")], ["CH", "JM", ""])
