from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from assistant.models import Verdict
from assistant.services import learning
from assistant.tests.factories import make_history, read_feed, train
from core.severity import Severity
from incidents.services import editing
from incidents.services.lifecycle import resolve
from incidents.tests.factories import make_category, make_incident, make_team
from users.tests.factories import make_admin, make_reporter, make_responder


class AssistantPageTests(TestCase):
    """How often suggestions were right, as administrators see it."""

    def setUp(self) -> None:
        learning._kept.clear()
        self.admin = make_admin()
        self.path = reverse("console:assistant")
        self.client.force_login(self.admin)

    def test_it_is_for_administrators(self) -> None:
        for person, status in ((self.admin, 200), (make_responder(), 403), (make_reporter(), 403)):
            self.client.force_login(person)

            self.assertEqual(self.client.get(self.path).status_code, status)

    def test_it_says_when_nothing_is_learnt_yet(self) -> None:
        self.assertContains(self.client.get(self.path), "it begins with 30 resolved incidents")

    def test_it_shows_an_admin_how_often_a_reporters_words_were_understood(self) -> None:
        network, office = make_team("Network"), make_team("Office")
        stories = [
            ("VPN tunnel drops packets", network, make_category("vpn"), Severity.HIGH),
            ("Printer paper jam", office, make_category("paper"), Severity.LOW),
        ]
        make_history(stories, admin=self.admin)
        train()
        read_feed()
        reports = [make_incident(by=make_reporter(), title=f"The VPN tunnel is slow {turn}") for turn in range(3)]
        read_feed()
        for incident, team in zip(reports, (network, network, office), strict=True):
            editing.assign_team(incident, team, by=self.admin)
            resolve(incident, by=self.admin)
        read_feed()

        response = self.client.get(self.path, {"days": "30"})

        team = response.context["fields"][0]
        self.assertEqual((team["counts"].compared, team["counts"].right, team["spared"]), (3, 2, 2))
        self.assertContains(response, "Of 3 suggestions, 66.7 % were right, 100 % among the first three.")
        self.assertContains(response, f"/incidents/{reports[2].reference}/")
        self.assertContains(response, "From 40 resolved incidents,")

    def test_it_counts_verdicts_by_kind(self) -> None:
        at, incident = timezone.now(), make_incident()
        for person, is_useful in ((self.admin, True), (make_responder(), False)):
            Verdict.objects.create(
                incident=incident, user=person, suggestion="similar-1", kind="similar", is_useful=is_useful, at=at
            )

        [found] = self.client.get(self.path).context["verdicts"]

        self.assertEqual((found["useful"], found["useless"]), (1, 1))
