from django.test import SimpleTestCase

from incidents.vocabulary import EventKind, Status
from incidents.workflow import ACTIONS, ACTIONS_BY_NAME, action_between, actions_from, allowed_transitions

# The contract's table, written out by status: where it leads, by which action, told as what, with a note or not.
TABLE: dict[str, dict[str, tuple[str, str, bool]]] = {
    "open": {
        "acknowledged": ("acknowledge", "acknowledged", False),
        "in_progress": ("start", "started", False),
        "resolved": ("resolve", "resolved", False),
    },
    "acknowledged": {
        "in_progress": ("start", "started", False),
        "on_hold": ("hold", "held", True),
        "resolved": ("resolve", "resolved", False),
    },
    "in_progress": {
        "on_hold": ("hold", "held", True),
        "resolved": ("resolve", "resolved", False),
    },
    "on_hold": {
        "in_progress": ("resume", "resumed", False),
        "resolved": ("resolve", "resolved", False),
    },
    "resolved": {
        "closed": ("close", "closed", False),
        "open": ("reopen", "reopened", True),
    },
    "closed": {
        "open": ("reopen", "reopened", True),
    },
}


class WorkflowTests(SimpleTestCase):
    def test_it_allows_exactly_the_moves_of_the_table(self) -> None:
        for start in Status:
            for target in Status:
                with self.subTest(start=start, target=target):
                    action = action_between(start, target)

                    found = (action.name, action.event_kind.value, action.needs_note) if action else None
                    self.assertEqual(found, TABLE[start].get(target.value))

    def test_it_lists_what_each_status_allows(self) -> None:
        for start in Status:
            with self.subTest(start=start):
                self.assertEqual(allowed_transitions(start), list(TABLE[start]))
                self.assertEqual(
                    [action.name for action in actions_from(start)], [row[0] for row in TABLE[start].values()]
                )

    def test_it_takes_plain_words(self) -> None:
        self.assertEqual(action_between("open", "acknowledged"), ACTIONS_BY_NAME["acknowledge"])
        self.assertEqual(allowed_transitions("closed"), ["open"])

    def test_it_refuses_words_that_are_no_status(self) -> None:
        with self.assertRaises(ValueError):
            action_between("open", "done")

    def test_it_never_leads_from_a_status_to_itself(self) -> None:
        for action in ACTIONS:
            self.assertNotIn(action.to_status, action.from_statuses)

    def test_it_names_a_timeline_event_of_its_own_for_each_action(self) -> None:
        kinds = [action.event_kind for action in ACTIONS]

        self.assertEqual(len(set(kinds)), len(ACTIONS))
        self.assertLessEqual(set(kinds), set(EventKind))
