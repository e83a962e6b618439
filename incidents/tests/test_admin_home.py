import datetime as dt

from django.urls import reverse
from django.utils import timezone

from core.severity import Severity
from incidents import services
from incidents.admin.home import ROWS
from incidents.tests.back_office import BackOfficeCase
from incidents.tests.factories import make_incident


class HomeTests(BackOfficeCase):
    def panel(self, title: str):
        panels = self.client.get(reverse("admin:index")).context["panels"]
        return next(panel for panel in panels if panel.title == title)

    def test_it_puts_the_most_severe_first_then_the_oldest(self) -> None:
        now = timezone.now()
        for hours in range(ROWS + 3):
            make_incident(title=f"Low {hours}", severity=Severity.LOW, at=now - dt.timedelta(hours=20 - hours))
        make_incident(title="Critical now", severity=Severity.CRITICAL, at=now)
        make_incident(title="Critical before", severity=Severity.CRITICAL, at=now - dt.timedelta(hours=1))
        self.sign_in(self.admin)

        panel = self.panel("Unacknowledged")

        titles = [row["incident"].title for row in panel.rows]
        self.assertEqual(titles, ["Critical before", "Critical now", "Disk full", *(f"Low {n}" for n in range(5))])
        self.assertEqual(panel.extent, f"8 of {ROWS + 6}")
        self.assertContains(self.client.get(reverse("admin:index")), f"8 of {ROWS + 6}")

    def test_it_says_that_reports_come_to_nobody(self) -> None:
        told = {}
        for user in (self.admin, self.member):
            self.sign_in(user)
            told[user] = "No default team" in self.client.get(reverse("admin:index")).content.decode()
        self.team.is_default = True
        self.team.save(update_fields=["is_default"])
        self.sign_in(self.admin)

        self.assertEqual(told, {self.admin: True, self.member: False})
        self.assertNotContains(self.client.get(reverse("admin:index")), "No default team")

    def test_it_counts_only_where_something_is_left_out(self) -> None:
        self.sign_in(self.admin)

        self.assertEqual(self.panel("Unacknowledged").extent, "")

    def test_it_lists_what_is_late_and_what_is_mine_in_the_same_order(self) -> None:
        before = timezone.now() - dt.timedelta(days=9)
        low = make_incident(title="Low", severity=Severity.LOW, at=before)
        high = make_incident(title="High", severity=Severity.HIGH, at=before + dt.timedelta(days=1))
        for incident in (low, high):
            services.assign_person(incident, self.admin, by=self.admin)
        self.sign_in(self.admin)

        for title in ("Overdue", "Assigned to me"):
            with self.subTest(title):
                self.assertEqual([row["incident"].title for row in self.panel(title).rows], ["High", "Low"])

    def test_it_leads_to_the_list_in_the_same_order(self) -> None:
        make_incident(title="Worse", severity=Severity.CRITICAL)
        self.sign_in(self.admin)

        rows = self.client.get(self.panel("Unacknowledged").url).context["cl"].result_list

        self.assertEqual([row.title for row in rows], ["Worse", "Disk full"])
