"""The forms of Python's logging."""

from django.test import SimpleTestCase

from intake.requests import IntakeError
from logs.reading import python as _python


class PythonTests(SimpleTestCase):
    def test_it_puts_arguments_in_their_places(self):
        for message, args, expected in (
            ("%d of %s", "(1, 'a')", "1 of a"),
            ("%(who)s left", "{'who': 'Bob'}", "Bob left"),
            ("100 %", "()", "100 %"),
            ("%5.2f", "(3.14159,)", " 3.14"),
        ):
            with self.subTest(message=message):
                self.assertEqual(_python.formatted(message, args), (expected, ""))

    def test_it_leaves_alone_what_would_be_dangerous_or_does_not_fit(self):
        for message, args in (
            ("%999999999d", "(1,)"),
            ("%*d", "(999999999, 1)"),
            ("%.999999999f", "(1.0,)"),
            ("%d", "(__import__('os'),)"),
            ("%d %d", "(1,)"),
            ("%(a)s", "(1,)"),
            ("%s", "(" * 3000 + ")" * 3000),
            ("%s", "(9**9**9,)"),
            ("%s", "(<object at 0x7f>,)"),
        ):
            with self.subTest(message=message, args=args[:20]):
                self.assertEqual(_python.formatted(message, args), (message, args))

    def test_it_refuses_a_form_without_a_message(self):
        with self.assertRaises(IntakeError):
            _python.parse(b"a=1&b=2")
