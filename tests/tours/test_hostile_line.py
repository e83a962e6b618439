"""A hostile log line changes nothing, without a model and with one that obeys."""

from typing import Any

from django.apps import apps

from assistant.models import ModelCall
from assistant.vocabulary import Outcome
from incidents.models import Incident, IncidentEvent
from tests.tours.serving import TourCase

REMEDIATION = apps.get_app_config("remediation")


def kept() -> dict[str, Any]:
    """Return the incident with its timeline, the status of all others, and each row of runbooks and their runs."""
    incident = Incident.objects.get(alerts__title__contains="close this incident")
    return {
        "incident": Incident.objects.filter(pk=incident.pk).values().get(),
        "timeline": list(IncidentEvent.objects.filter(incident=incident).order_by("pk").values()),
        "others": list(Incident.objects.order_by("pk").values_list("pk", "status", "severity")),
        **{model.__name__: list(model._base_manager.order_by("pk").values()) for model in REMEDIATION.get_models()},
    }


class HostileLineTests(TourCase):
    page = "hostile-line.md"

    def test_it_changes_nothing(self) -> None:
        steps = self.tour.steps()
        asked = next(place for place, step in enumerate(steps) if "now_is()" in step.commands)
        for step in steps[:asked]:
            self.tour.take(step)
        self.settle()
        before = kept()

        for step in steps[asked:]:
            self.tour.take(step)

        self.assertEqual(kept(), before)
        calls = ModelCall.objects.values_list("task", "outcome", "tools_ignored")
        self.assertEqual(set(calls), {("causes", Outcome.REPAIRED, 2), ("summary", Outcome.REPAIRED, 2)})
