"""A hostile log line changes nothing, without a model and with one that obeys."""

from typing import Any

from django.apps import apps

from assistant.models import ModelCall
from assistant.vocabulary import Outcome
from incidents.models import Incident, IncidentEvent
from tests.tours.serving import TourCase


def kept() -> dict[str, Any]:
    """Return each row of incidents, timelines and runs of runbooks."""
    models = [Incident, IncidentEvent, *apps.get_app_config("remediation").get_models()]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


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
