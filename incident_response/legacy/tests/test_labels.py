from django.test import SimpleTestCase

from incident_response.legacy.labels import Labels, split_labels, with_labels

SYSTEMS = Labels(systems=["api", "load: balancer"])
ALL = Labels(["api"], ["slow", "eu"], "index=api | stats avg(time)")


class LabelsTests(SimpleTestCase):
    def test_it_gives_back_what_it_was_given(self) -> None:
        for description in ("", "One line", "Two\n\nparagraphs", "- a list\n- of things", "ends with a colon:"):
            for labels in (Labels(), SYSTEMS, ALL, Labels(tags=["one"]), Labels(query="index=main")):
                with self.subTest(description=description, labels=labels):
                    text, found = split_labels(with_labels(description, labels))

                    self.assertEqual((text, found.lines()), (description, labels.lines()))

    def test_it_reads_as_a_list_at_the_end(self) -> None:
        self.assertEqual(
            with_labels("Slow", ALL),
            "Slow\n\nLabels of the report:\n- affected system: api\n- tag: slow\n- tag: eu\n"
            "- source query: index=api | stats avg(time)",
        )

    def test_it_changes_nothing_without_labels(self) -> None:
        self.assertEqual(with_labels("Slow", Labels()), "Slow")

    def test_it_takes_what_people_left_of_the_block(self) -> None:
        for edited, expected in (
            ("Slow\r\n\r\nLabels of the report:\r\n- affected system: api\r\n", ("Slow", ["api"])),
            ("Slow\n\nLabels of the report:\n- affected system: api\n- whatever: this\n", ("Slow", ["api"])),
            ("Slow\n\nLabels of the report:\n- affected system: api\nFound it.", None),
            ("The Labels of the report: - affected system: api", None),
            ("[removed]", None),
        ):
            with self.subTest(edited):
                text, labels = split_labels(edited)

                self.assertEqual((text, labels.systems), expected or (edited, ()))
