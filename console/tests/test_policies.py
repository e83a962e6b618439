from typing import Any

from django.urls import reverse
from django.utils import timezone

from console.oncall import steps as editing
from console.tests.test_oncall_pages import OnCallCase
from paging.models import EscalationRun
from paging.tests.factories import critical, make_escalation, step, target
from responders.models import EscalationPolicy
from responders.tests.schedules import make_schedule


class PolicyTests(OnCallCase):
    def setUp(self) -> None:
        super().setUp()
        self.empty = make_schedule(name="Empty rota")
        self.policy = make_escalation(
            step(self.schedule), step(self.empty, delay=5), name="Kitchen policy", team=self.team
        )

    def form(self, row: EscalationPolicy, **more: Any) -> dict[str, Any]:
        states = editing.stored(row.steps)
        data: dict[str, Any] = {"name": row.name, "description": "", "repeat": "0", "is_active": "on"}
        data |= {"team": row.team_id or "", "expected": editing.fingerprint(row), "step": [one.key for one in states]}
        for one in states:
            data |= {
                f"{one.key}-delay": one.delay,
                f"{one.key}-target": one.targets,
                f"{one.key}-strategy": one.strategy,
                f"{one.key}-if_empty": one.if_empty,
                f"{one.key}-acks": one.acks,
            }
        return data | more

    def test_it_reads_as_sentences_with_who_is_paged_now(self) -> None:
        for name, args in (("policies", ()), ("policy", (self.policy.pk,))):
            with self.subTest(name):
                response = self.get(self.ben, name, *args)

                self.assertContains(response, "Page everybody on call in Kitchen rota.")
                self.assertContains(response, "Right now this pages")
                self.assertContains(response, "team Kitchen")
        self.assertContains(self.get(self.ben, "policy", self.policy.pk), "Right now, nobody.", 1)

    def test_it_names_no_incident_that_one_may_not_see(self) -> None:
        incident = critical(is_restricted=True)
        EscalationRun.objects.create(
            incident=incident,
            open_key=incident.pk,
            policy=self.policy,
            next_step_at=timezone.now(),
            started_at=timezone.now(),
        )

        self.assertContains(self.get(self.admin, "policy", self.policy.pk), incident.reference)
        self.assertNotContains(self.get(self.ana, "policy", self.policy.pk), incident.reference)

    def test_it_is_for_responders_and_edited_by_administrators(self) -> None:
        for user, reads, writes in ((self.reporter, 403, 403), (self.other, 200, 403), (self.admin, 200, 200)):
            with self.subTest(user.name):
                self.assertEqual(self.get(user, "policies").status_code, reads)
                self.assertEqual(self.get(user, "policy", self.policy.pk).status_code, reads)
                self.assertEqual(self.get(user, "policy-edit", self.policy.pk).status_code, writes)
                self.assertEqual(self.get(user, "policy-new").status_code, writes)

    def test_it_simulates(self) -> None:
        response = self.get(self.ana, "policy", self.policy.pk, severity="critical", at="2026-12-01T03:00")
        wrong = self.get(self.ana, "policy", self.policy.pk, severity="dire")

        self.assertContains(response, "Steps passed over")
        self.assertContains(response, "1 Dec 2026")
        self.assertEqual(wrong.status_code, 400)

    def test_it_saves_steps(self) -> None:
        data = self.form(self.policy, do="save", last=[f"user:{self.admin.pk}"], repeat="2")
        data |= {
            "s0-severity": "high",
            "s0-days": ["0", "1"],
            "s0-from": "08:00",
            "s0-to": "18:00",
            "s0-zone": "Europe/Zurich",
        }

        response = self.post(self.admin, "policy-edit", self.policy.pk, **data)

        self.assertEqual(response["Location"], reverse("console:policy", args=[self.policy.pk]))
        self.policy.refresh_from_db()
        self.assertEqual(self.policy.repeat, 2)
        self.assertEqual(self.policy.on_exhausted, [target(self.admin)])
        self.assertEqual(self.policy.steps[0]["only_in"]["business_hours"]["weekdays"], [0, 1])
        self.assertTrue(self.policy.targets.filter(user=self.admin).exists())

    def test_it_makes_one(self) -> None:
        data = {"do": "save", "name": "New one", "repeat": "0", "is_active": "on", "step": ["n0"]}
        data |= {"n0-delay": "0", "n0-target": [f"schedule:{self.schedule.pk}"]}

        response = self.post(self.admin, "policy-new", **data)

        self.assertEqual(response.status_code, 302)
        self.assertEqual(len(EscalationPolicy.objects.get(name="New one").steps), 1)

    def test_it_does_what_its_buttons_say(self) -> None:
        cases = (
            ("step-up:s1", ["s1", "s0"]),
            ("step-down:s0", ["s1", "s0"]),
            ("step-remove:s0", ["s1"]),
            ("step-add", ["s0", "s1", "n0"]),
        )
        for deed, keys in cases:
            with self.subTest(deed):
                response = self.post(self.admin, "policy-edit", self.policy.pk, **self.form(self.policy, do=deed))

                self.assertEqual([one.key for one, _sentence in response.context["steps"]], keys)
        data = self.form(self.policy, do="target-add:s0", **{"s0-add": f"team:{self.team.pk}"})
        added = self.post(self.admin, "policy-edit", self.policy.pk, **data)
        removed = self.post(
            self.admin, "policy-edit", self.policy.pk, **self.form(self.policy, do="target-remove:s0:0")
        )
        last = self.post(
            self.admin, "policy-edit", self.policy.pk, **self.form(self.policy, do="last-add", **{"last-add": "user:1"})
        )
        self.assertEqual(added.context["steps"][0][0].targets, [f"schedule:{self.schedule.pk}", f"team:{self.team.pk}"])
        self.assertContains(added, "Page everybody on call in Kitchen rota and everybody in Kitchen.")
        self.assertEqual(removed.context["steps"][0][0].targets, [])
        self.assertEqual(last.context["last"], ["user:1"])

    def test_it_names_the_step_that_is_wrong(self) -> None:
        data = self.form(self.policy, do="save", **{"s1-target": ["schedule:999999"]})

        response = self.post(self.admin, "policy-edit", self.policy.pk, **data)
        none = self.post(self.admin, "policy-edit", self.policy.pk, **self.form(self.policy, do="save", step=[]))

        self.assertContains(response, "Step 2", status_code=400)
        self.assertContains(response, "does not exist", status_code=400)
        self.assertEqual(none.status_code, 400)

    def test_it_tells_a_conflict(self) -> None:
        data = self.form(self.policy, do="save", repeat="3")
        EscalationPolicy.objects.filter(pk=self.policy.pk).update(repeat=1)

        conflict = self.post(self.admin, "policy-edit", self.policy.pk, **data)
        again = {**data, "expected": conflict.context["form"]["expected"].value()}

        self.assertContains(conflict, "Somebody else changed this policy", status_code=409)
        self.assertEqual(self.post(self.admin, "policy-edit", self.policy.pk, **again).status_code, 302)

    def test_it_costs_the_same_for_many_policies(self) -> None:
        self.get(self.admin, "policies")
        before = self.cost("policies")
        for number in range(4):
            make_escalation(step(self.schedule), step(self.empty), name=f"More {number}")

        self.assertEqual(self.cost("policies"), before)
        self.assertLessEqual(before, 16)
