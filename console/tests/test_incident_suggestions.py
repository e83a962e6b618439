import datetime as dt
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from alerts.models import ChangeEvent
from assistant.models import Verdict
from console.tests.test_incident_actions import IncidentActionTests
from console.tests.test_incident_pages import HX
from core.severity import Severity
from incidents import services
from incidents.models import IncidentLink, LinkKind
from incidents.tests.factories import make_category, make_incident, make_service, make_team
from users.models import User


class SuggestionTests(IncidentActionTests):
    def deploy(self) -> ChangeEvent:
        """A change of the incident's service shortly before it, and the service."""
        service = make_service("checkout", team=self.team)
        self.incident.services.add(service)
        at = self.incident.occurred_at - dt.timedelta(minutes=7)
        return ChangeEvent.objects.create(
            summary="Deploy <b>checkout</b> 4.18", service=service, occurred_at=at, received_at=at
        )

    def card(self, user: User) -> Any:
        self.client.force_login(user)
        return self.client.get(reverse("console:incident-suggestions", args=[self.incident.reference]), headers=HX)


class CardTests(SuggestionTests):
    def test_it_names_the_change_with_its_evidence_to_responders_only(self) -> None:
        self.deploy()

        for user, is_told in ((self.ben, True), (self.stranger, True), (self.admin, True), (self.reporter, False)):
            with self.subTest(user=user.name):
                text = self.told(self.card(user))
                self.assertEqual("Deploy &lt;b&gt;checkout&lt;/b&gt; 4.18" in text, is_told)
                self.assertEqual("7 min before the start" in text, is_told)
                self.assertNotIn("<b>checkout", text)

    def test_it_says_once_that_nothing_is_known(self) -> None:
        self.assertContains(self.card(self.ben), "Nothing is known that would explain it")
        self.assertContains(self.card(self.reporter), "No similar incident is known.")

    def test_it_lists_a_change_that_is_a_cause_only_there(self) -> None:
        change = self.deploy()

        found = self.card(self.ben)

        self.assertEqual([], found.context["changes"])
        self.assertIn(f"cause-change-{change.pk}", [cause.id for cause, _rows, _said in found.context["causes"]])

    def test_it_leads_from_a_likely_duplicate_to_linking_it(self) -> None:
        other = make_incident(by=self.admin, title="Checkout is down", description="All of it")

        self.assertContains(self.card(self.ben), f"kind=duplicate_of&amp;target={other.reference}")
        form = self.client.get(
            reverse("console:incident-link", args=[self.incident.reference]),
            {"kind": "duplicate_of", "target": other.reference},
        )
        self.assertContains(form, f'value="{other.reference}"')

        self.post(self.ben, "incident-link", kind="duplicate_of", target=other.reference)
        self.assertEqual(IncidentLink.objects.get().kind, LinkKind.DUPLICATE_OF)

    def test_it_shows_reporters_their_own_twin_without_a_way_to_link_it(self) -> None:
        twin = make_incident(by=self.reporter, title="Checkout is down", description="All of it")

        card = self.card(self.reporter)

        self.assertContains(card, "Likely duplicate of")
        self.assertContains(card, twin.reference)
        self.assertNotContains(card, "kind=duplicate_of")

    def test_it_hides_restricted_incidents_of_others(self) -> None:
        other = make_incident(by=self.admin, title="Checkout is down", description="All of it")
        services.update(other, by=None, fields={"is_restricted": True})

        self.assertNotContains(self.card(self.ben), other.reference)
        self.assertContains(self.card(self.admin), other.reference)

    def test_it_asks_as_many_queries_whatever_is_found(self) -> None:
        self.deploy()
        for number in range(8):
            make_incident(by=self.admin, title=f"Checkout is down {number}")
        self.card(self.ben)
        with CaptureQueriesContext(connection) as few:
            self.card(self.ben)
        for number in range(8, 20):
            make_incident(by=self.admin, title=f"Checkout is down {number}")

        with CaptureQueriesContext(connection) as many:
            self.card(self.ben)

        self.assertEqual(len(many), len(few))


class JudgeTests(SuggestionTests):
    def test_it_keeps_a_verdict_and_shows_it(self) -> None:
        name = f"cause-change-{self.deploy().pk}"

        answer = self.post(self.ben, "incident-judge", suggestion=name, useful="yes", hx=True)
        self.post(self.ben, "incident-judge", suggestion=name, useful="no")

        self.assertContains(answer, 'data-part="suggestions"')
        verdict = Verdict.objects.get()
        self.assertEqual((verdict.user, verdict.suggestion, verdict.is_useful), (self.ben, name, False))
        self.assertContains(self.card(self.ben), 'value="no" aria-pressed="true"')
        self.assertNotContains(self.card(self.admin), 'aria-pressed="true"')

    def test_it_keeps_english_of_a_reader_in_german(self) -> None:
        self.ben.language = "de"
        self.ben.save(update_fields=["language"])
        name = f"cause-change-{self.deploy().pk}"

        with translation.override("de"):
            self.post(self.ben, "incident-judge", suggestion=name, useful="yes")

        self.assertIn("before the start", Verdict.objects.get().snapshot["hypothesis"])

    def test_it_refuses_what_is_not_suggested_and_who_may_not(self) -> None:
        for user, data, status in (
            (self.ben, {"suggestion": "cause-change-999", "useful": "yes"}, 404),
            (self.ben, {"suggestion": "cause-change-999", "useful": "maybe"}, 400),
            (self.ben, {"suggestion": "x" * 65, "useful": "yes"}, 400),
            (self.reporter, {"suggestion": "summary", "useful": "yes"}, 403),
            (self.outsider, {"suggestion": "summary", "useful": "yes"}, 403),
        ):
            with self.subTest(user=user.name, data=data):
                self.assertEqual(self.post(user, "incident-judge", **data).status_code, status)
        self.assertFalse(Verdict.objects.exists())


class AdoptTests(SuggestionTests):
    def test_it_gives_team_category_and_severity(self) -> None:
        team, category = make_team("Shop", self.ben), make_category("payments")

        for name, value in (("category", category.slug), ("severity", "critical"), ("team", str(team.pk))):
            self.assertEqual(self.post(self.ben, "incident-adopt", field=name, value=value, hx=True).status_code, 200)

        found = self.stored()
        self.assertEqual((found.team, found.category, found.severity), (team, category, Severity.CRITICAL))

    def test_it_changes_nothing_else_and_for_nobody_else(self) -> None:
        for user, name, value, status in (
            (self.ben, "title", "Hacked", 400),
            (self.ben, "status", "closed", 400),
            (self.ben, "severity", "enormous", 400),
            (self.ben, "team", "99999999999999999999", 400),
            (self.ben, "team", "¹", 400),
            (self.stranger, "severity", "low", 403),
            (self.reporter, "severity", "low", 403),
        ):
            with self.subTest(user=user.name, name=name, value=value):
                before = self.stored().version
                self.assertEqual(self.post(user, "incident-adopt", field=name, value=value).status_code, status)
                self.assertEqual(self.stored().version, before)


class AskModelTests(SuggestionTests):
    def test_it_says_nothing_of_a_model_that_is_not_set_up(self) -> None:
        self.assertNotContains(self.card(self.ben), "language model")

        answer = self.post(self.ben, "incident-ask-model", task="causes")

        self.assertEqual(answer.status_code, 409)
        self.assertContains(answer, "No model is configured.", status_code=409)

    def test_it_refuses_other_tasks_and_reporters(self) -> None:
        self.assertEqual(self.post(self.ben, "incident-ask-model", task="close").status_code, 400)
        self.assertEqual(self.post(self.reporter, "incident-ask-model", task="causes").status_code, 403)
