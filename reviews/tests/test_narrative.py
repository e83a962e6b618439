from django.test import SimpleTestCase
from django.utils import translation

from incidents.models import EventKind, IncidentEvent
from reviews.narrative import GROUPS, MOST_MOMENTS, choose, ends_of, people_of, quoted, tell


def event(kind: str, **fields: object) -> IncidentEvent:
    return IncidentEvent(kind=kind, **fields)


class ChooseTests(SimpleTestCase):
    def test_it_takes_everything_of_a_short_timeline(self) -> None:
        self.assertEqual(choose([[1, 2], [3], [], [4, 5]]), [1, 2, 3, 4, 5])

    def test_it_takes_the_share_of_each_of_a_long_one(self) -> None:
        groups = [[number * 1000 + one for one in range(100)] for number in range(len(GROUPS))]

        chosen = choose(groups)

        self.assertEqual(len(chosen), MOST_MOMENTS)
        self.assertEqual([sum(one in group for one in chosen) for group in groups], [share for _kinds, share in GROUPS])

    def test_it_gives_room_that_is_left_to_others(self) -> None:
        chosen = choose([[1], [], [], list(range(100, 200))])

        self.assertEqual(len(chosen), MOST_MOMENTS)

    def test_it_takes_both_ends(self) -> None:
        self.assertEqual(ends_of([1, 2, 3, 4, 5, 6], 3), [1, 2, 6])
        self.assertEqual(ends_of([1, 2], 3), [1, 2])


class TellTests(SimpleTestCase):
    def test_it_says_what_happened(self) -> None:
        people = {"changes": {"assignee": [None, {"id": 1, "name": "Ben"}]}}
        table = [
            (event(EventKind.ACKNOWLEDGED, actor_name="Ada"), "Ada acknowledged the incident."),
            (event(EventKind.RESOLVED), "The incident was resolved."),
            (event(EventKind.RESOLVED, actor_name="Ada", body="Fixed."), "Ada resolved the incident.\n\nFixed."),
            (
                event(EventKind.SEVERITY_CHANGED, data={"changes": {"severity": ["low", "high"]}}),
                "The severity changed from Low to High.",
            ),
            (event(EventKind.ASSIGNEE_CHANGED, data=people), "The assignee changed from none to Ben."),
            (event("paged", data={"text": "Paged Ana (on call)."}), "Paged Ana (on call)."),
            (event("status_updated", actor_name="Ada"), "Ada posted an update on the status page."),
            (
                event("status_updated", actor_name="Ada", data={"corrects": 5}),
                "Ada corrected an update on the status page.",
            ),
            (event("status_updated", data={"corrects": 5}), "An update on the status page was corrected."),
            (event("run_started", data={"runbook": "Restart web", "run": 2}), "Remediation started: Restart web"),
            (event("something_new"), "Something new"),
        ]

        for one, expected in table:
            with self.subTest(kind=one.kind):
                self.assertEqual(tell(one), expected)

    def test_it_does_not_name_the_original_of_a_duplicate(self) -> None:
        self.assertEqual(tell(event(EventKind.CLOSED, body="Duplicate of INC-7.")), "Closed")

    def test_it_shortens_what_is_very_long(self) -> None:
        self.assertEqual(len(quoted("x" * 100_000)), 3001)

    def test_it_finds_whom_pages_reached_out_to(self) -> None:
        self.assertEqual(people_of([{"paged": [{"user": 3}, {"user": None}]}, {}, {"paged": [{"user": 3}]}]), [3])

    def test_it_speaks_the_active_language(self) -> None:
        with translation.override("en"):
            self.assertIn("reported", tell(event(EventKind.CREATED, actor_name="Ada")))
