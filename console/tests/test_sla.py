"""The SLA report: the API's figures, and the list behind each."""

import csv
from typing import Any

import time_machine
from django.urls import reverse

from console.tests.test_dashboard import listed
from incidents.metrics import GROUPINGS
from incidents.tests.test_views_metrics import NOW, SLA, LivedInCase
from users.tests.factories import client_of

REPORT = reverse("console:sla-report")
DAYS = {"from": "2026-03-03", "to": "2026-04-05"}
WITHIN = {"created_after": "2026-03-03T00:00:00Z", "created_before": "2026-04-06T00:00:00Z"}


class SlaReportTests(LivedInCase):
    def open(self, viewer: Any, url: str = REPORT, **parameters: str) -> Any:
        with time_machine.travel(NOW, tick=False):
            self.client.force_login(viewer)
            return self.client.get(url, {**DAYS, **parameters})

    def test_its_figures_are_those_of_the_api(self) -> None:
        for viewer in (self.member, self.admin):
            for group_by in GROUPINGS:
                with self.subTest(viewer.role, group_by=group_by), time_machine.travel(NOW, tick=False):
                    answer = client_of(viewer).get(SLA, {**WITHIN, "group_by": group_by}).json()

                    context = self.open(viewer, group_by=group_by).context
                    whole = context["whole"].cells
                    self.assertEqual((whole[0].value, whole[1].value), (answer["total"], answer["open"]))
                    self.assertEqual(whole[4].value, round(answer["acknowledged"]["mean_seconds"]))
                    self.assertEqual(whole[13].value, answer["resolved"]["p90_seconds"])
                    totals = sorted(row.cells[0].value for row in context["rows"])
                    self.assertEqual(totals, sorted(group["total"] for group in answer["groups"]))

    def test_each_number_equals_its_list(self) -> None:
        for group_by in GROUPINGS:
            with self.subTest(group_by), time_machine.travel(NOW, tick=False):
                context = self.open(self.member, group_by=group_by).context

                for row in (*context["rows"], context["whole"]):
                    for cell in row.cells:
                        if cell.url and cell.text.isdigit():
                            self.assertEqual(cell.value, listed(self.member, cell.url), cell.url)

    def test_it_takes_the_lists_filters(self) -> None:
        with time_machine.travel(NOW, tick=False):
            answer = client_of(self.admin).get(SLA, {**WITHIN, "severity": "high", "team": "none"}).json()

        context = self.open(self.admin, severity="high", team="none").context

        self.assertEqual(context["whole"].cells[0].value, answer["total"])
        self.assertEqual(self.open(self.admin, nonsense="1").status_code, 400)

    def test_it_says_that_filters_left_nothing(self) -> None:
        response = self.open(self.admin, category="absent")

        self.assertContains(response, "Clear the filters")
        self.assertContains(response, "?from=2026-03-03&amp;to=2026-04-05&amp;group_by=severity")

    def test_it_is_a_csv(self) -> None:
        response = self.open(self.admin, reverse("console:sla-csv"), group_by="team")

        rows = list(csv.reader(response.content.decode("utf-8-sig").splitlines()))
        self.assertEqual(rows[0][:3], ["Team", "Incidents", "Open"])
        self.assertEqual({len(row) for row in rows}, {18})
        self.assertEqual(rows[-1][0], "All")
