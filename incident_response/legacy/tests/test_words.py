from django.test import SimpleTestCase
from rest_framework.exceptions import ValidationError

from incident_response.legacy import words


class WordsTests(SimpleTestCase):
    def test_it_knows_words_in_any_case(self) -> None:
        for word, expected in (
            ("OPEN", "open"),
            ("In_Progress", "in_progress"),
            ("in progress", "in_progress"),
            ("ON-HOLD", "on_hold"),
            (" RESOLVED ", "resolved"),
            ("CLOSED", "closed"),
            ("ACKNOWLEDGED", "acknowledged"),
        ):
            with self.subTest(word):
                self.assertEqual(words.status_of(word), expected)
        self.assertEqual([words.severity_of(word) for word in ("CRITICAL", "high")], ["critical", "high"])
        self.assertEqual([words.priority_of(word) for word in ("CRITICAL", "low", "P2")], ["p1", "p4", "p2"])

    def test_it_lists_the_known_words_when_it_refuses_one(self) -> None:
        for read, value, said in (
            (words.status_of, "DONE", "DONE is not one of OPEN, ACKNOWLEDGED, IN_PROGRESS, ON_HOLD, RESOLVED, CLOSED."),
            (words.severity_of, "SEV1", "SEV1 is not one of LOW, MEDIUM, HIGH, CRITICAL."),
            (words.priority_of, 1, "1 is not one of CRITICAL, HIGH, MEDIUM, LOW, P4, P3, P2, P1."),
            (words.status_of, None, "None is not one of"),
            (words.status_of, ["OPEN"], "is not one of"),
            (words.status_of, "", "is not one of"),
        ):
            with self.subTest(value=value), self.assertRaisesRegex(ValidationError, said.replace("(", "")):
                read(value)

    def test_it_maps_each_priority_to_one_severity(self) -> None:
        self.assertEqual(len(words.SEVERITY_OF_PRIORITY), len(words.PRIORITY_OF_SEVERITY))
