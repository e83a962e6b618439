from typing import Any

from django.test import TestCase

from responders.models import EscalationPolicy, PolicyTarget, Service, Team
from responders.tests.schedules import layer, make_schedule
from tests.reported import reported_failure
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

POLICIES = "/api/v1/escalation-policies/"


class PolicyViewTests(TestCase):
    def setUp(self) -> None:
        self.ana = make_responder(name="Ana")
        self.schedule = make_schedule(layer(self.ana), name="Primary")
        self.client = client_of(make_admin())

    def form(self, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {"name": "Database", "steps": list(steps) or [self.step()], **fields}

    def step(self, **fields: Any) -> dict[str, Any]:
        return {"delay_minutes": 0, "targets": [{"kind": "schedule", "id": self.schedule.pk}], **fields}

    def test_it_lives_from_creation_to_deletion(self) -> None:
        hours = {"time_zone": "Europe/Zurich", "weekdays": [0, 1, 2, 3, 4], "from": "08:00", "to": "18:00"}
        steps = [
            self.step(),
            self.step(
                delay_minutes=5,
                strategy="next",
                only_in={"min_severity": "high", "business_hours": hours},
                if_empty={"kind": "user", "id": self.ana.pk},
                needs_acks=2,
            ),
        ]
        made = self.client.post(
            POLICIES, self.form(*steps, repeat=2, on_exhausted=[{"kind": "user", "id": self.ana.pk}])
        )
        path = f"{POLICIES}{made.json()['id']}/"
        found = self.client.get(path).json()
        put_back = self.client.put(
            path, {name: value for name, value in found.items() if name not in ("id", "summary", "created_at")}
        )

        self.assertEqual(made.status_code, 201, made.json())
        self.assertEqual(
            found["steps"][1]["targets"], [{"kind": "schedule", "id": self.schedule.pk, "name": "Primary"}]
        )
        self.assertEqual(found["steps"][1]["only_in"]["business_hours"], hours)
        self.assertEqual(
            found["summary"],
            [
                "Page everybody on call in Primary.",
                "Wait 5 min, then page who is on call next in Primary, only for severity high or worse and in Mon–Fri "
                "08:00–18:00 Europe/Zurich, until 2 different people have answered; if that is nobody, page Ana.",
                "Wait 5 min, then repeat the steps up to 2 times, then page Ana, then raise the alarm that nobody was "
                "reached.",
            ],
        )
        self.assertEqual((put_back.status_code, put_back.json()["steps"]), (200, found["steps"]))
        self.assertEqual(self.client.delete(path).status_code, 204)
        self.assertFalse(PolicyTarget.objects.exists())

    def test_it_says_what_is_wrong_and_where(self) -> None:
        target = {"kind": "schedule", "id": self.schedule.pk}
        wrong: dict[str, tuple[dict[str, Any], str, str]] = {
            "no targets": (self.step(targets=[]), "steps.0.targets", "at least 1"),
            "twice": (self.step(targets=[target, target]), "steps.0.targets", "more than once"),
            "kind": (
                self.step(targets=[{"kind": "pigeon", "id": 1}]),
                "steps.0.targets.0.kind",
                "is not one of schedule",
            ),
            "absent": (
                self.step(targets=[{"kind": "user", "id": 999}]),
                "steps.0.targets.0.id",
                "Person 999 does not exist",
            ),
            "fallback": (
                self.step(if_empty={"kind": "team", "id": 999}),
                "steps.0.if_empty.id",
                "Team 999 does not exist",
            ),
            "delay": (self.step(delay_minutes=-1), "steps.0.delay_minutes", "greater than or equal to 0"),
            "unknown": (self.step(delay=3), "steps.0.delay", "Unknown or read-only field"),
            "strategy": (self.step(strategy="random"), "steps.0.strategy", "is not one of all, round_robin, next"),
            "next": (
                self.step(strategy="next", targets=[{"kind": "user", "id": self.ana.pk}]),
                "steps.0.strategy",
                "Only schedules",
            ),
            "in turn": (self.step(strategy="round_robin", needs_acks=2), "steps.0.needs_acks", "several answers"),
            "if_empty": (self.step(if_empty="shrug"), "steps.0.if_empty", "Must be skip, alarm, or a target"),
            "zone": (
                self.step(
                    only_in={"business_hours": {"time_zone": "Mars", "weekdays": [0], "from": "08:00", "to": "9"}}
                ),
                "steps.0.only_in.business_hours.time_zone",
                "is not a time zone",
            ),
            "offset": (
                self.step(
                    only_in={
                        "business_hours": {"time_zone": "UTC", "weekdays": [0], "from": "08:00+02:00", "to": "18:00"}
                    }
                ),
                "steps.0.only_in.business_hours.from",
                "Must be a time of day",
            ),
        }
        for name, (step, field, message) in wrong.items():
            with self.subTest(name):
                answer = self.client.post(POLICIES, self.form(step))

                errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
                self.assertEqual(answer.status_code, 400)
                self.assertIn(message, errors.get(field, str(errors)))
                self.assertIn(field, errors)
        self.assertFalse(EscalationPolicy.objects.exists())

    def test_it_refuses_reporters_to_read_and_responders_to_write(self) -> None:
        responder, reporter = client_of(self.ana), client_of(make_reporter())

        self.assertEqual(responder.get(POLICIES).status_code, 200)
        self.assertEqual(responder.post(POLICIES, self.form()).status_code, 403)
        self.assertEqual(reporter.post(POLICIES, self.form()).status_code, 403)

    def test_it_has_one_default(self) -> None:
        first = self.client.post(POLICIES, self.form(is_default=True)).json()
        self.client.post(POLICIES, self.form(name="Other", is_default=True))

        self.assertFalse(self.client.get(f"{POLICIES}{first['id']}/").json()["is_default"])

    def test_teams_and_services_name_theirs(self) -> None:
        policy = self.client.post(POLICIES, self.form()).json()["id"]
        team, service = Team.objects.create(name="Web"), Service.objects.create(name="Shop", slug="shop")

        for path in (f"/api/v1/teams/{team.pk}/", f"/api/v1/services/{service.pk}/"):
            answer = self.client.patch(path, {"escalation_policy": policy})
            self.assertEqual((answer.status_code, answer.json()["escalation_policy"]), (200, policy))
        refused = self.client.delete(f"{POLICIES}{policy}/")

        self.assertEqual((refused.status_code, refused.json()["code"]), (409, "in_use"))
        self.assertIn("1 team", refused.json()["detail"])

    @reported_failure(15)
    def test_what_a_policy_names_cannot_be_deleted(self) -> None:
        team = Team.objects.create(name="Web")
        self.client.post(POLICIES, self.form(self.step(targets=[{"kind": "team", "id": team.pk}])))

        refused = self.client.delete(f"/api/v1/teams/{team.pk}/")

        self.assertEqual(refused.status_code, 409)
        self.assertIn("1 step of an escalation policy", refused.json()["detail"])

    @reported_failure(15)
    def test_a_steps_position_is_its_place(self) -> None:
        made = self.client.post(POLICIES, self.form(self.step(), self.step(delay_minutes=7))).json()
        turned = list(reversed(made["steps"]))

        answer = self.client.patch(f"{POLICIES}{made['id']}/", {"steps": turned})

        self.assertEqual([step["delay_minutes"] for step in answer.json()["steps"]], [7, 0])
        self.assertEqual(PolicyTarget.objects.count(), 1)
