from django.test import TestCase, override_settings
from django.urls import reverse

from assistant.models import ModelCall, ModelSwitch
from assistant.monitoring import collect
from assistant.services import provider
from assistant.tests.asking import asked, sound
from assistant.tests.fakes import AnthropicApi, fake_model
from incidents.tests.factories import make_incident
from users.tests.factories import make_admin, make_responder


class ModelAdminTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_admin())

    def test_it_lists_calls_without_prompts_and_budgets(self):
        incident, ada = make_incident(description="password=hunter2x9"), make_responder()
        with fake_model(AnthropicApi(), sound):
            call = asked(incident, ada)

        pages = [
            self.client.get(reverse("admin:assistant_modelcall_changelist")),
            self.client.get(reverse("admin:assistant_modelcall_change", args=[call.pk])),
            self.client.get(reverse("admin:assistant_modelbudget_changelist")),
        ]

        self.assertEqual([page.status_code for page in pages], [200] * 3)
        self.assertContains(pages[0], "120 + 30")
        self.assertContains(pages[2], "150 tokens")
        for page in pages:
            self.assertNotContains(page, "hunter2x9")

    def test_it_stops_the_model_at_the_switch_and_says_who_did(self):
        self.client.get(reverse("admin:assistant_modelswitch_changelist"))
        address = reverse("admin:assistant_modelswitch_change", args=[1])

        answer = self.client.post(address, {"initial-is_enabled": "on"})

        self.assertEqual(answer.status_code, 302)
        self.assertFalse(provider.the_switch().is_enabled)
        self.assertEqual(ModelSwitch.objects.count(), 1)

    def test_it_counts_for_prometheus(self):
        ModelCall.objects.create(
            incident=make_incident(), task="causes", state="done", outcome="used", tokens_in=7, cost_micros=2_500_000
        )

        samples = {(one.name, *one.labels.values()): one.value for family in collect() for one in family.samples}

        self.assertEqual(samples["incident_response_model_calls_total", "causes", "used"], 1)
        self.assertEqual(samples["incident_response_model_tokens_total", "in"], 7)
        self.assertEqual(samples[("incident_response_model_cost_usd_total",)], 2.5)
        self.assertEqual(samples[("incident_response_model_circuit_open",)], 0)

    @override_settings(METRICS_TOKEN="t")
    def test_it_is_in_the_metrics(self):
        answer = self.client.get("/metrics", headers={"Authorization": "Bearer t"})

        self.assertContains(answer, "incident_response_model_tokens_total")
