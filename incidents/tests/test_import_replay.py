"""Rows into events and final columns."""

import datetime as dt
from typing import Any

from django.test import SimpleTestCase

from core.severity import Severity
from incidents.imports.mapping import parse as parse_mapping
from incidents.imports.replay import ImportedIncident, read_incident
from incidents.tests.import_logs import MAPPING, MAPPING_TEXT, NOW, at, cells
from incidents.vocabulary import EventKind, Status


def imported(*rows: dict[str, str], mapping: Any = MAPPING) -> ImportedIncident:
    """The imported of an incident that these rows tell of, in the order of the file."""
    found, refusals = read_incident([cells(line, **row) for line, row in enumerate(rows, 2)], mapping, NOW)
    assert found is not None
    assert not refusals, refusals
    return found


def told(found: ImportedIncident) -> list[tuple[str, dt.datetime]]:
    return [(event.kind.value, event.at) for event in found.events]


class ReplayTests(SimpleTestCase):
    """incidents.imports.replay."""

    def test_it_replays_a_plain_life(self) -> None:
        found = imported(
            {"state": "New", "updated": "1/2/2016 08:05"},
            {"state": "Active", "updated": "1/2/2016 09:00", "by": "Ada", "group": "Group 70"},
            {"state": "Waiting", "updated": "1/2/2016 10:00"},
            {"state": "Active", "updated": "1/2/2016 10:30"},
            {"state": "Resolved", "updated": "1/2/2016 11:00", "resolved": "1/2/2016 10:59"},
            {"state": "Closed", "updated": "1/2/2016 12:00", "resolved": "1/2/2016 10:59"},
        )

        self.assertEqual(
            told(found),
            [
                ("created", at(8)),
                ("team_changed", at(9)),
                ("started", at(9)),
                ("team_changed", at(10)),
                ("held", at(10)),
                ("resumed", at(10, 30)),
                ("resolved", at(11)),
                ("closed", at(12)),
            ],
        )
        self.assertEqual(found.events[1].actor_name, "Ada")
        self.assertEqual(found.columns["status"], Status.CLOSED)
        self.assertEqual((found.columns["acknowledged_at"], found.columns["ack_seconds"]), (at(9), 3600))
        self.assertEqual((found.columns["resolved_at"], found.columns["resolve_seconds"]), (at(10, 59), 10_740))
        self.assertEqual(found.columns["paused_seconds"], 1800)
        self.assertIsNone(found.columns["closed_at"])

    def test_it_takes_the_rows_by_time_then_by_their_own_order(self) -> None:
        found = imported(
            {"state": "Closed", "updated": "1/2/2016 09:00", "mods": "3", "closed": "1/2/2016 09:00"},
            {"state": "Resolved", "updated": "1/2/2016 09:00", "mods": "2", "resolved": "1/2/2016 09:00"},
            {"state": "New", "updated": "1/2/2016 08:30", "mods": "1"},
        )

        self.assertEqual([kind for kind, _ in told(found)], ["created", "resolved", "closed"])

    def test_it_opens_what_the_log_first_shows_in_another_state(self) -> None:
        found = imported({"state": "Resolved", "updated": "1/2/2016 08:30", "resolved": "1/2/2016 08:30"})

        self.assertEqual(told(found), [("created", at(8)), ("resolved", at(8, 30))])
        self.assertEqual(found.columns["ack_seconds"], 1800)

    def test_it_leaves_out_the_stamp_that_the_log_does_not_give(self) -> None:
        found = imported(
            {"state": "Resolved", "updated": "1/2/2016 09:00"}, {"state": "Closed", "updated": "1/2/2016 10:00"}
        )

        self.assertIsNone(found.columns["resolved_at"])
        self.assertIsNone(found.columns["resolve_seconds"])
        self.assertNotIn("resolved_at", found.events[1].changes)

    def test_it_stamps_from_the_rows_where_the_log_has_no_column_for_it(self) -> None:
        text = MAPPING_TEXT.replace('resolved_at = "resolved"\nclosed_at = "closed"\n', "")
        rows = [{"state": "Active", "updated": "1/2/2016 09:00"}, {"state": "Closed", "updated": "1/2/2016 10:00"}]
        mapping = parse_mapping(text)
        by_name = [dict(zip(MAPPING.used_columns, cells(2, **row).values, strict=True)) for row in rows]
        group = [
            type(cells())(2 + n, tuple(row[name] for name in mapping.used_columns)) for n, row in enumerate(by_name)
        ]

        found, _ = read_incident(group, mapping, NOW)

        assert found is not None
        self.assertEqual((found.columns["resolved_at"], found.columns["closed_at"]), (at(10), at(10)))

    def test_it_reopens_what_was_closed(self) -> None:
        found = imported(
            {"state": "Resolved", "updated": "1/2/2016 09:00"},
            {"state": "Closed", "updated": "1/2/2016 10:00"},
            {"state": "Active", "updated": "1/2/2016 11:00"},
            {"state": "Resolved", "updated": "1/2/2016 12:00", "resolved": "1/2/2016 12:00"},
        )

        self.assertEqual([kind for kind, _ in told(found)], ["created", "resolved", "closed", "reopened", "resolved"])
        self.assertEqual(found.events[3].changes["resolved_at"], [at(9), None])
        self.assertEqual(found.columns["reopen_count"], 1)
        self.assertEqual((found.columns["resolved_at"], found.columns["clock_started_at"]), (at(12), at(11)))

    def test_it_gives_no_resolution_to_what_ends_open(self) -> None:
        found = imported(
            {"state": "Closed", "updated": "1/2/2016 10:00", "resolved": "1/2/2016 09:00"},
            {"state": "Waiting", "updated": "1/2/2016 11:00", "resolved": "1/2/2016 09:00"},
        )

        self.assertEqual(found.columns["status"], Status.ON_HOLD)
        self.assertIsNone(found.columns["resolved_at"])
        self.assertIsNone(found.columns["resolve_seconds"])
        self.assertEqual(found.columns["paused_at"], at(11))

    def test_it_follows_severity_people_and_kept_columns(self) -> None:
        found = imported(
            {"priority": "Mild", "person": "Resolver 1", "kind": "Disk"},
            {"updated": "1/2/2016 09:00", "priority": "Bad", "person": "Resolver 2", "kind": "Net"},
            {"updated": "1/2/2016 10:00", "priority": "?", "person": "?", "kind": "Net"},
        )

        kinds = [event.kind for event in found.events]
        self.assertEqual(kinds[1:4], [EventKind.FIELD_CHANGED, EventKind.SEVERITY_CHANGED, EventKind.PRIORITY_CHANGED])
        self.assertEqual(kinds[4:], [EventKind.ASSIGNEE_CHANGED, EventKind.FIELD_CHANGED, EventKind.ASSIGNEE_CHANGED])
        self.assertEqual(found.events[0].details, {"kind": [None, "Disk"], "person": [None, "Resolver 1"]})
        self.assertEqual(found.events[-1].details, {"person": ["Resolver 2", None]})
        self.assertEqual(found.columns["severity"], Severity.CRITICAL)

    def test_it_takes_a_row_from_before_the_opening_as_of_the_opening(self) -> None:
        found = imported({"state": "Active", "updated": "1/2/2016 07:00"})

        self.assertEqual(told(found), [("created", at(8)), ("started", at(8))])
        self.assertEqual(found.columns["ack_seconds"], 0)

    def test_it_refuses_repeats_and_wrong_rows_and_keeps_the_rest(self) -> None:
        rows = [cells(2), cells(3), cells(4, state="-100"), cells(5, state="Active", updated="1/2/2016 09:00")]

        found, refusals = read_incident(rows, MAPPING, NOW)

        assert found is not None
        self.assertEqual(len(found.events), 2)
        self.assertEqual([(refusal.line, refusal.external_id) for refusal in refusals], [(3, "A1"), (4, "A1")])
        self.assertEqual(refusals[0].reason, "repeats line 2")

    def test_it_makes_nothing_of_an_incident_without_a_good_row(self) -> None:
        found, refusals = read_incident([cells(2, state="-100")], MAPPING, NOW)

        self.assertIsNone(found)
        self.assertEqual(len(refusals), 1)
