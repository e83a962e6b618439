"""Charts: their geometry, words, links and tables."""

from django.template.loader import render_to_string
from django.test import SimpleTestCase

from console import charts
from console.charts import Cell, Column, Empty, Item, Moment, Point, Series

SEVERITIES = [Series("critical", "Critical", "critical"), Series("low", "Low", "low")]


def columns(*values: tuple[int, int]) -> list[Column]:
    return [
        Column(f"Day {n}", str(n), {"critical": one, "low": two}, f"/i/?day={n}", {"critical": f"/i/?day={n}&s=c"})
        for n, (one, two) in enumerate(values)
    ]


def drawn(chart: charts.Chart) -> str:
    return render_to_string("console/charts/_chart.html", {"chart": chart})


class ScaleTests(SimpleTestCase):
    def test_it_ends_at_a_round_number_above_the_most(self) -> None:
        for most, expected in ((0, (1, 1)), (1, (1, 1)), (4, (4, 4)), (7, (8, 4)), (11, (15, 3)), (913, (1000, 2))):
            with self.subTest(most=most):
                self.assertEqual(charts.scale_of(most), expected)

    def test_it_counts_time_in_minutes_hours_and_days(self) -> None:
        for most, expected in ((50, (60, 1)), (500, (600, 2)), (10_000, (10_800, 3)), (300_000, (345_600, 4))):
            with self.subTest(most=most):
                self.assertEqual(charts.scale_of(most, base=60), expected)

    def test_it_has_levels_from_nothing_to_the_most(self) -> None:
        self.assertEqual([charts.level_of(value, 100) for value in (0, 1, 25, 26, 75, 100)], [0, 1, 1, 2, 3, 4])
        self.assertEqual(charts.level_of(0, 0), 0)


class StackedTests(SimpleTestCase):
    def test_it_stacks_from_the_bottom_in_order(self) -> None:
        chart = charts.stacked("days", "Incidents", SEVERITIES, columns((2, 2), (0, 1)), unit="Incidents")

        first, second, third = chart.marks
        self.assertEqual((first.y + first.height, second.y + second.height), (chart.height, first.y))
        self.assertEqual((first.tone, second.tone, third.tone), ("critical", "low", "low"))
        self.assertEqual((first.url, second.url), ("/i/?day=0&s=c", "/i/?day=0"))

    def test_its_table_links_every_number_but_zero(self) -> None:
        chart = charts.stacked("days", "Incidents", SEVERITIES, columns((2, 2), (0, 1)), unit="Incidents")

        self.assertEqual(chart.header, ("", "Critical", "Low", "Total"))
        self.assertEqual([cell.value for cell in chart.rows[1]], ["Day 1", 0, 1, 1])
        self.assertEqual([cell.url for cell in chart.rows[1]], ["", "", "", "/i/?day=1"])

    def test_it_shows_one_of_very_many(self) -> None:
        chart = charts.stacked("days", "Incidents", SEVERITIES, columns((1, 0), (0, 9999)), unit="Incidents")

        self.assertGreaterEqual(chart.marks[0].height, 2)

    def test_it_names_only_series_that_occur(self) -> None:
        chart = charts.stacked("days", "Incidents", SEVERITIES, columns((0, 3)), unit="Incidents")

        self.assertEqual([one.key for one in chart.legend], ["low"])

    def test_it_is_drawn_without_styles_or_scripts(self) -> None:
        html = drawn(charts.stacked("days", "Incidents", SEVERITIES, columns((2, 2)), unit="Incidents"))

        self.assertIn('fill="url(#days-critical)"', html)
        self.assertIn('aria-label="Day 0, Critical: 2"', html)
        self.assertNotIn("style=", html)
        self.assertNotIn("onclick", html)


class EmptyTests(SimpleTestCase):
    def test_it_says_what_emptied_it_and_how_to_clear_that(self) -> None:
        empty = Empty("No incidents of Database in these 7 days.", "Show all teams", "/?range=7")
        kinds = [
            charts.stacked("a", "A", SEVERITIES, columns((0, 0)), unit="Incidents", empty=empty),
            charts.trend("b", "B", [Point("x", "x", None, None, None, 0)], show=str, empty=empty),
            charts.bars("c", "C", [], header=("Team", "Incidents"), empty=empty),
            charts.strip("d", "D", [Moment("x", 0)], unit="Alerts", empty=empty),
            charts.heat_map("e", "E", ("", "x"), {"row": [Moment("x", 0)]}, empty=empty),
        ]

        for chart in kinds:
            with self.subTest(chart=chart.kind):
                self.assertTrue(chart.is_empty)
                self.assertInHTML('<a href="/?range=7">Show all teams</a>', drawn(chart))


class TrendTests(SimpleTestCase):
    POINTS = (
        Point("Mon", "1", 100, 80, 300, 3, 1, "/i/?day=1", "/i/?day=1&open"),
        Point("Tue", "2", 200, 90, 500, 2),
        Point("Wed", "3", None, None, None, 0, 2),
        Point("Thu", "4", 300, 100, 550, 1),
    )

    def test_it_breaks_its_line_where_nothing_was_counted(self) -> None:
        chart = charts.trend("ack", "Time to acknowledge", self.POINTS, show=str)

        self.assertEqual(len(chart.shapes["mean"]), 2)  # type: ignore[arg-type]
        self.assertEqual(len(chart.marks), 3)
        self.assertEqual(chart.rows[2][1].text, "—")
        self.assertEqual(chart.rows[0][5], Cell("1", 1, "/i/?day=1&open"))

    def test_it_is_drawn(self) -> None:
        html = drawn(charts.trend("ack", "Time to acknowledge", self.POINTS, show=str))

        self.assertIn("Mon: mean 100, median 80, p90 300 of 3", html)
        self.assertIn("Show as a table", html)


class BarTests(SimpleTestCase):
    def test_shares_add_their_part_of_the_whole(self) -> None:
        items = [Item("Database", 3, "/i/?team=1"), Item("Network", 1, "/i/?team=2")]

        chart = charts.shares("teams", "Teams", items, header=("Team", "Incidents"))

        self.assertEqual([row[2].text for row in chart.rows], ["75 %", "25 %"])
        self.assertEqual(chart.header, ("Team", "Incidents", "Share"))
        self.assertIn('width="33.33%"', drawn(chart))

    def test_names_are_escaped(self) -> None:
        html = drawn(charts.bars("x", "X", [Item("<script>alert(1)</script>", 3)], header=("Team", "Incidents")))

        self.assertNotIn("<script>", html)

    def test_its_csv_runs_no_formulas(self) -> None:
        chart = charts.bars("x", "X", [Item("=1+1", 3)], header=("Team", "Incidents"))

        self.assertEqual(charts.csv_of(chart), "\ufeffTeam,Incidents\r\n'=1+1,3\r\n")


class StripTests(SimpleTestCase):
    def test_more_is_darker_and_taller(self) -> None:
        moments = [Moment("10:00", 1, "/logs/?at=10"), Moment("10:05", 0), Moment("10:10", 8)]

        chart = charts.strip("lines", "Log lines", moments, unit="Lines", ticks=["10:00", "10:05", "10:10"])

        low, none, high = chart.marks
        self.assertEqual((low.tone, none.height, high.tone), ("level-1", 0, "level-4"))
        self.assertGreater(high.height, low.height)
        self.assertIn('href="/logs/?at=10"', drawn(chart))

    def test_a_heat_map_keeps_its_numbers_and_links(self) -> None:
        rows = {"Monday": [Moment("Monday 10:00", 4, "/i/?x")], "Tuesday": [Moment("Tuesday 10:00", 1)]}

        html = drawn(charts.heat_map("h", "Hours", ("", "10:00"), rows))

        self.assertIn("heat-4", html)
        self.assertInHTML('<a href="/i/?x" title="Monday 10:00">4</a>', html)

    def test_a_sparkline_says_itself_in_words(self) -> None:
        html = render_to_string("console/charts/_spark.html", {"spark": charts.sparkline([0, 2, 4], "4 at most")})

        self.assertIn('aria-label="4 at most"', html)
        self.assertIn("M0.0 22.0 L50.0 12.0 L100.0 2.0", html)
