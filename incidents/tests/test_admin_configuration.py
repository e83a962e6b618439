import datetime as dt

from django.test import TestCase
from django.urls import reverse

from incidents.models import SlaPolicy
from incidents.tests.factories import make_category, make_incident, make_service, make_team
from users.tests.factories import make_admin


class Base(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_admin())


class PolicyTests(Base):
    def form(self, **changes: object) -> dict[str, object]:
        return {
            "name": "Critical security",
            "severity": 4,
            "category": make_category("security").pk,
            "ack_minutes": 5,
            "resolve_minutes": 60,
            "time_zone": "Europe/Zurich",
            "weekdays": ["0", "5"],
            "opens_at": "08:00",
            "closes_at": "18:30",
            "holidays": "2027-12-25, 2027-01-01\n2027-12-25",
            **changes,
        }

    def test_it_saves_a_calendar(self) -> None:
        self.client.post(reverse("admin:incidents_slapolicy_add"), self.form())

        policy = SlaPolicy.objects.get(name="Critical security")
        self.assertEqual((policy.weekdays, policy.holidays), ([0, 5], ["2027-01-01", "2027-12-25"]))
        self.assertEqual((policy.opens_at, policy.closes_at), (dt.time(8), dt.time(18, 30)))
        self.assertFalse(policy.is_round_the_clock)

    def test_it_knows_midnight_and_nights(self) -> None:
        url, base = reverse("admin:incidents_slapolicy_add"), self.form()
        for closes, stored, listed in (
            ("24:00", dt.time(0), "08:00–24:00"),
            ("00:00", dt.time(0), "08:00–24:00"),
            ("02:00", dt.time(2), "08:00–02:00"),
        ):
            with self.subTest(closes):
                SlaPolicy.objects.filter(name="Critical security").delete()
                self.client.post(url, {**base, "closes_at": closes})

                policy = SlaPolicy.objects.get(name="Critical security")
                page = self.client.get(reverse("admin:incidents_slapolicy_change", args=[policy.pk]))
                listing = self.client.get(reverse("admin:incidents_slapolicy_changelist"))
                self.assertEqual(policy.closes_at, stored)
                self.assertContains(page, f'value="{listed[6:]}"')
                self.assertContains(listing, listed)

    def test_it_says_what_is_wrong_with_a_calendar(self) -> None:
        cases = {
            "at least one working day": {"weekdays": []},
            "must end later than they begin": {"closes_at": "08:00"},
            "31.12.2027 is not a date": {"holidays": "31.12.2027"},
            "not one of the available choices": {"time_zone": "Mars/Olympus"},
        }
        base = self.form()

        for sentence, changes in cases.items():
            with self.subTest(sentence):
                answer = self.client.post(reverse("admin:incidents_slapolicy_add"), {**base, **changes})

                self.assertContains(answer, sentence)

    def test_it_refuses_a_second_policy_for_the_same_case(self) -> None:
        first = SlaPolicy.objects.filter(category=None).first()

        answer = self.client.post(
            reverse("admin:incidents_slapolicy_add"), self.form(severity=first.severity, category="")
        )

        self.assertContains(answer, "already covers this severity and category")
        self.assertEqual(SlaPolicy.objects.filter(severity=first.severity, category=None).count(), 1)

    def test_it_shows_what_was_saved(self) -> None:
        self.client.post(reverse("admin:incidents_slapolicy_add"), self.form())
        policy = SlaPolicy.objects.get(name="Critical security")

        answer = self.client.get(reverse("admin:incidents_slapolicy_change", args=[policy.pk]))

        self.assertContains(answer, "2027-01-01\n2027-12-25")
        self.assertContains(answer, 'value="18:30"')


class DeletionTests(Base):
    def test_it_keeps_what_incidents_name(self) -> None:
        category, service, team = make_category("used"), make_service("used"), make_team("used")
        unused = [make_category("unused"), make_service("unused"), make_team("unused")]
        make_incident(by=make_admin(), category=category, services=[service], team=team)

        for row in (category, service, team, *unused):
            with self.subTest(repr(row)):
                address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])
                asked = self.client.get(address)
                self.client.post(address, {"post": "yes"})

                self.assertEqual(f"{row.name}: <a" in asked.content.decode(), row not in unused)
                self.assertEqual("1 incident" in asked.content.decode(), row not in unused)
                self.assertEqual(type(row).objects.filter(pk=row.pk).exists(), row not in unused)
