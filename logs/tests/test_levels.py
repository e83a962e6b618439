from django.test import SimpleTestCase

from logs.levels import guess_level, level_of, python_level, syslog_level
from logs.vocabulary import Level


class LevelTests(SimpleTestCase):
    def test_it_knows_the_words_and_numbers_of_many(self):
        for said, expected in (
            ("ERROR", Level.ERROR),
            ("[warn]", Level.WARNING),
            ("Information", Level.INFO),
            ("info2", Level.INFO),
            ("LogLevel.Critical", Level.CRITICAL),
            ("E", Level.ERROR),
            ("emerg", Level.CRITICAL),
            ("4", Level.WARNING),
            (7, Level.DEBUG),
            (0, Level.CRITICAL),
            (10, Level.TRACE),
            (30, Level.INFO),
            (60, Level.CRITICAL),
            (True, None),
            ("purple", None),
            ("", None),
            (None, None),
            ([], None),
            (-1, None),
            (float("nan"), None),
        ):
            with self.subTest(said=said):
                self.assertEqual(level_of(said), expected)

    def test_it_knows_pythons_numbers(self):
        found = [python_level(number) for number in (0, 10, 20, 30, 40, 50, 999)]

        self.assertEqual(found, [1, 2, 3, 4, 5, 6, 6])

    def test_it_knows_syslogs_numbers(self):
        self.assertEqual([syslog_level(number) for number in range(8)], [6, 6, 6, 5, 4, 3, 3, 2])

    def test_it_guesses_from_the_text(self):
        for text, expected in (
            ("2015-10-18 18:01:47,978 INFO [main] org.apache: Created", Level.INFO),
            ("[Sun Dec 04 04:47:44 2005] [error] mod_jk child workerEnv in error state 6", Level.ERROR),
            ("2015-07-29 17:41:44,747 - WARN  [SendWorker:1] - Interrupted", Level.WARNING),
            ('{"level": "fatal", "msg": "x"}', Level.CRITICAL),
            ('ts=1 level=warn msg="late"', Level.WARNING),
            ("E1121 09:30:00.123456   12 main.go:3] boom", Level.ERROR),
            ("error: no such file", Level.ERROR),
            ("Traceback (most recent call last):\n  File", Level.ERROR),
            ("java.lang.NullPointerException: null", Level.ERROR),
            ("the information desk reports no errors", None),
            ("user informed about terrors", None),
            ("", None),
        ):
            with self.subTest(text=text):
                self.assertEqual(guess_level(text), expected)
