import datetime as dt
from dataclasses import replace

from django.test import SimpleTestCase

from remediation.guards import Facts, Limits, StepSize, TargetHistory, Window, refusals

NOW = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
LIMITS = Limits(
    cooldown_seconds=300, runbook_cooldown=600, daily_cap=3, daily_cap_per_target=2, max_targets=2, max_percent=50
)
FINE = Facts(LIMITS, steps=[StepSize(1, 4)], targets=[TargetHistory("web")])


def ago(**length: float) -> dt.datetime:
    return NOW - dt.timedelta(**length)


def freeze(**facts: object) -> Window:
    return Window("sale", ago(hours=1), NOW + dt.timedelta(hours=1), **facts)  # type: ignore[arg-type]


class GuardTests(SimpleTestCase):
    def test_it_lets_an_ordinary_run_go_on(self):
        self.assertEqual(refusals(FINE, NOW), [])

    def test_it_refuses_with_a_code_and_a_reason(self):
        for facts, code in (
            ({"stopped_because": "fire"}, "remediation_stopped"),
            ({"is_enabled": False}, "runbook_disabled"),
            ({"paused_because": "It failed twice."}, "runbook_paused"),
            ({"is_current": False}, "runbook_changed"),
            ({"is_open": False}, "incident_closed"),
            ({"is_restricted": True, "is_automatic": True}, "incident_restricted"),
            ({"steps": [StepSize(1, 4), StepSize(0, 4)]}, "no_targets"),
            ({"steps": [StepSize(1, 4, "no cluster")]}, "step_unusable"),
            ({"steps": [StepSize(3, 9)]}, "too_many_targets"),
            ({"steps": [StepSize(2, 3)]}, "too_large_share"),
            ({"runs_today": 3}, "daily_cap"),
            ({"targets": [TargetHistory("web", [ago(hours=2), ago(hours=3)])]}, "daily_cap"),
            ({"targets": [TargetHistory("web", [ago(seconds=299)])]}, "cooldown"),
            ({"last_run_at": ago(seconds=599)}, "cooldown"),
            ({"targets": [TargetHistory("web", is_held=True)]}, "target_busy"),
            ({"targets": [TargetHistory("web", unsettled=5), TargetHistory("db", unsettled=5)]}, "target_unsettled"),
            ({"windows": [freeze()]}, "frozen"),
        ):
            with self.subTest(code=code):
                found = refusals(replace(FINE, **facts), NOW)  # type: ignore[arg-type]

                self.assertEqual([one.code for one in found], [code])
                self.assertNotIn("%(", found[0].text)

    def test_it_allows_up_to_each_limit(self):
        for facts in (
            {"is_restricted": True},
            {"steps": [StepSize(2, 4)]},
            {"steps": [StepSize(2, 0)]},  # of how many is not known
            {"steps": [StepSize(1, 1)]},
            {"runs_today": 2},
            {"targets": [TargetHistory("web", [ago(hours=2), ago(hours=25)])]},
            {"targets": [TargetHistory("web", [ago(seconds=300)])]},
            {"last_run_at": ago(seconds=600)},
        ):
            with self.subTest(facts=facts):
                self.assertEqual(refusals(replace(FINE, **facts), NOW), [])  # type: ignore[arg-type]

    def test_it_says_when_a_cool_down_ends(self):
        for facts, until in (
            ({"last_run_at": ago(seconds=590)}, "12:00:10"),
            ({"targets": [TargetHistory("web", [ago(seconds=280)])]}, "12:00:20"),
        ):
            [found] = refusals(replace(FINE, **facts), NOW)  # type: ignore[arg-type]

            self.assertIn(f"until 2026-12-01 {until} UTC.", found.text)

    def test_it_names_everything_that_forbids_a_run(self):
        facts = replace(FINE, stopped_because="fire", is_open=False, windows=[freeze()])

        self.assertEqual(
            [one.code for one in refusals(facts, NOW)], ["remediation_stopped", "incident_closed", "frozen"]
        )

    def test_it_freezes_only_whom_a_window_names(self):
        facts = replace(FINE, teams=frozenset({1}), services=frozenset({5}))
        for window, is_frozen in (
            (freeze(), True),
            (freeze(teams=frozenset({1})), True),
            (freeze(teams=frozenset({2})), False),
            (freeze(services=frozenset({5, 6})), True),
            (freeze(services=frozenset({6})), False),
            (freeze(teams=frozenset({2}), services=frozenset({5})), True),
        ):
            with self.subTest(window=window):
                self.assertEqual(bool(refusals(replace(facts, windows=[window]), NOW)), is_frozen)

    def test_it_repeats_weekly_windows_by_the_clock_on_the_wall(self):
        friday = dt.datetime(2026, 10, 23, 16, tzinfo=dt.UTC)  # 18:00 in Zurich, before the end of summer time
        weekly = Window("weekend", friday, friday + dt.timedelta(hours=2), is_weekly=True, zone="Europe/Zurich")
        later = dt.datetime(2026, 11, 6, tzinfo=dt.UTC)

        held = [hour for hour in range(24) if weekly.holds_at(later.replace(hour=hour))]

        self.assertEqual(held, [17, 18])
        self.assertFalse(weekly.holds_at(friday - dt.timedelta(days=7)))
        self.assertTrue(weekly.holds_at(friday))
