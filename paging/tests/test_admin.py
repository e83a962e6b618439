import datetime as dt
from typing import Any

from django.test import Client
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from incidents import services
from paging.admin.steps import StepsWidget
from paging.tests.cases import PagingCase
from paging.tests.factories import critical, make_escalation, rota, run_jobs, step
from responders.models import EscalationPolicy, PolicyTarget, Team
from users.tests.factories import make_admin, make_responder

POLICIES = "/admin/responders/escalationpolicy/"


class AdminCase(PagingCase):
    def setUp(self) -> None:
        super().setUp()
        self.ana, self.ben = make_responder(name="Ana"), make_responder(name="Ben")
        self.browser = Client()
        self.browser.force_login(make_admin(name="Root"))


def row(number: int, **values: Any) -> dict[str, Any]:
    """The inputs of one step."""
    given = {"position": number + 1, "delay": 5, "strategy": "all", "if_empty": "skip", "acks": 1, **values}
    return {f"steps-{number}-{name}": value for name, value in given.items()}


class PolicyAdminTests(AdminCase):
    def form(self, *rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
        inputs = {key: value for one in rows for key, value in one.items()}
        return {"name": "Database", "is_active": "on", "repeat": 0, "steps-count": len(rows), **inputs, **fields}

    def test_it_makes_a_policy_in_the_order_of_the_numbers(self) -> None:
        schedule = rota(self.ana)
        hours = {"days": "Mon, Tue", "from": "08:00", "to": "18:00", "zone": "Europe/Zurich"}
        second = row(0, position=2, targets=[f"user:{self.ben.pk}"], acks=2, severity="high", **hours)
        first = row(1, position=1, delay=0, targets=[f"schedule:{schedule.pk}"], if_empty=f"user:{self.ben.pk}")

        answer = self.browser.post(
            f"{POLICIES}add/", self.form(second, first, row(2), on_exhausted=[f"user:{self.ana.pk}"])
        )

        self.assertEqual(answer.status_code, 302, getattr(answer, "context_data", {}).get("errors"))
        policy = EscalationPolicy.objects.get()
        self.assertEqual([one["delay_minutes"] for one in policy.steps], [0, 5])
        self.assertEqual(policy.steps[0]["if_empty"], {"kind": "user", "id": self.ben.pk})
        self.assertEqual(policy.steps[1]["only_in"]["business_hours"]["weekdays"], [0, 1])
        self.assertEqual(policy.on_exhausted, [{"kind": "user", "id": self.ana.pk}])
        self.assertEqual(PolicyTarget.objects.count(), 3)

    def test_it_says_which_step_is_wrong(self) -> None:
        wrong = row(0, targets=[f"user:{self.ben.pk}"], strategy="next")
        late = row(1, targets=[f"user:{self.ben.pk}"], days="Someday", **{"from": "8", "to": "18:00"})

        answer = self.browser.post(f"{POLICIES}add/", self.form(wrong, late))

        self.assertContains(answer, "Step 1, strategy: Only schedules have somebody who is on call next.")
        self.assertContains(answer, "Step 2, only in, business hours, weekdays")
        self.assertContains(answer, 'value="Someday"')
        self.assertFalse(EscalationPolicy.objects.exists())

    def test_it_reads_numbers_of_plain_digits_alone(self) -> None:
        for odd in ("²", "9" * 5000, "-1", ""):
            with self.subTest(odd=odd[:5]):
                row = {"steps-count": "1", "steps-0-position": odd, "steps-0-targets": [f"user:{odd}"]}

                self.assertEqual(StepsWidget().value_from_datadict({**row, "steps-count": odd}, {}, "steps"), [])
                self.assertEqual(
                    StepsWidget().value_from_datadict(
                        MultiValueDict(
                            {name: value if isinstance(value, list) else [value] for name, value in row.items()}
                        ),
                        {},
                        "steps",
                    )[0]["targets"],
                    [{"kind": "user", "id": odd}],
                )

    def test_it_asks_for_a_step(self) -> None:
        self.assertContains(self.browser.post(f"{POLICIES}add/", self.form(row(0))), "needs at least one step")

    def test_it_shows_sentences_and_whom_it_pages_now(self) -> None:
        policy = make_escalation(step(rota(name="Empty")), step(self.ana, delay=5), name="Database")

        page = self.browser.get(f"{POLICIES}{policy.pk}/change/")
        listed = self.browser.get(POLICIES)

        self.assertContains(page, "Wait 5 min, then page Ana.")
        self.assertContains(page, '<li class="ir-late">Page everybody on call in Empty.</li>')
        self.assertContains(page, "Ana (Named directly)")
        self.assertContains(page, "everything without a policy")
        self.assertContains(listed, "Ana (Named directly)")

    def test_it_tells_a_team_from_a_schedule_of_its_name(self) -> None:
        schedule, team = rota(self.ana, name="Kitchen"), Team.objects.create(name="Kitchen")

        page = self.browser.get(f"{POLICIES}add/")

        for kind, target in (("schedule", schedule), ("team", team)):
            self.assertContains(
                page, f'<option value="{kind}:{target.pk}">Kitchen ({kind.capitalize()})</option>', html=True
            )

    def test_it_lists_only_incidents_whose_escalation_goes_on(self) -> None:
        policy = make_escalation(step(self.ana))
        over = critical()
        run_jobs(timezone.now())
        run_jobs(timezone.now() + dt.timedelta(minutes=6))
        goes_on = critical()
        run_jobs(timezone.now())

        page = self.browser.get(f"{POLICIES}{policy.pk}/change/")

        self.assertEqual(over.escalation_runs.get().state, "exhausted")
        self.assertContains(page, f">{goes_on.reference}</a>")
        self.assertNotContains(page, f">{over.reference}</a>")

    def test_it_keeps_what_was_not_edited(self) -> None:
        policy = make_escalation(
            step(self.ana, needs_acks=1, strategy="all", only_in=None, if_empty="skip"), name="Old"
        )
        answer = self.browser.post(
            f"{POLICIES}{policy.pk}/change/",
            self.form(row(0, targets=[f"user:{self.ana.pk}"], delay=0), name="New"),
        )

        policy.refresh_from_db()
        self.assertEqual(
            (answer.status_code, policy.name, policy.steps[0]["targets"][0]["id"]), (302, "New", self.ana.pk)
        )

    def test_it_simulates(self) -> None:
        policy = make_escalation(step(self.ana), step(rota(name="Empty"), delay=5))

        answer = self.browser.post(f"{POLICIES}{policy.pk}/simulate/", {"severity": "high"})

        self.assertContains(answer, "step 2 is skipped")
        self.assertContains(answer, "Named directly", count=1)

    def test_it_lists_running_escalations_before_deleting(self) -> None:
        policy = make_escalation(step(self.ana))
        incident = critical()
        run_jobs(timezone.now())

        page = self.browser.get(f"{POLICIES}{policy.pk}/delete/")
        self.browser.post(f"{POLICIES}{policy.pk}/delete/", {"post": "yes"})
        run_jobs(timezone.now() + dt.timedelta(minutes=6))

        self.assertContains(page, f"{incident.reference} is being escalated by it")
        self.assertFalse(EscalationPolicy.objects.exists())
        self.assertEqual(incident.escalation_runs.get().state, "exhausted")


class SectionTests(AdminCase):
    def test_it_shows_who_was_paged_and_what_comes_next(self) -> None:
        make_escalation(step(rota(self.ana)), step(self.ben, delay=5))
        incident = critical()
        run_jobs(timezone.now())

        page = self.browser.get(f"/admin/incidents/incident/{incident.pk}/change/")

        self.assertRegex(page.content.decode(), r"Ana paged at \d\d:\d\d, no answer; next: Ben at \d\d:\d\d")
        self.assertContains(page, "On call in Primary")

    def test_it_ends_with_a_sentence_of_its_own(self) -> None:
        make_escalation(step(self.ana), name="Kitchen")
        incident = critical()
        run_jobs(timezone.now())
        run_jobs(timezone.now() + dt.timedelta(minutes=6))

        page = self.browser.get(f"/admin/incidents/incident/{incident.pk}/change/")

        self.assertContains(page, "no answer. The policy has ended and nobody has answered.")
        top, _form = page.content.decode().split('name="title"', 1)
        self.assertIn("Nobody was reached. The policy Kitchen has ended: nobody has answered; open for", top)

    def test_it_shows_the_alarm_in_red_until_somebody_answers(self) -> None:
        incident = critical()
        run_jobs(timezone.now())
        path = f"/admin/incidents/incident/{incident.pk}/change/"

        page, home = self.browser.get(path), self.browser.get("/admin/")
        services.acknowledge(incident, by=self.ana)
        later = self.browser.get(path)

        self.assertContains(page, '<div class="ir-error">Nobody was reached.')
        self.assertContains(home, "Nobody was reached for these incidents.")
        self.assertNotContains(later, "Nobody was reached.")

    def test_it_lists_pages_and_alarms(self) -> None:
        make_escalation(step(self.ana))
        incident = critical()
        run_jobs(timezone.now())
        run_jobs(timezone.now() + dt.timedelta(minutes=9))

        self.assertContains(self.browser.get("/admin/paging/page/"), incident.reference)
        self.assertContains(self.browser.get("/admin/paging/escalationalarm/"), "nobody has answered")
