"""Who would be paged for a simulated alert; alerts and paging do not know each other."""

from collections.abc import Sequence
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.serializers import Field

from alerts.services.simulating import Contributor, Simulated, SimulationResult
from core.text.sentences import shown
from paging.services.choosing import policies_for, policy_for
from paging.services.simulating import simulate_policy

HELP = gettext_lazy("Who would be paged if nobody answers, and when.")
PAGING = (SimulationResult.OPENS, SimulationResult.STORM)


def _notified(simulated: Simulated) -> list[dict[str, Any]]:
    """Return whom the alert would have paged; one that joins an incident pages nobody anew."""
    opening, incident = simulated.opening, simulated.incident
    if opening is not None and simulated.result in PAGING:
        policy, severity = policy_for(simulated.team, opening.services), int(opening.severity_or_default)
    elif incident is not None and simulated.result == SimulationResult.REOPENS:
        policy, severity = policies_for([incident])[incident.pk], incident.severity
    else:
        return []
    if policy is None:
        return []
    found: list[dict[str, Any]] = simulate_policy(policy, severity=severity, at=simulated.at)["notified"]
    return found


def _lines(found: Sequence[dict[str, Any]]) -> list[str]:
    return [
        _("After %(minutes)g min: %(name)s by %(method)s (%(because)s)")
        % {
            "minutes": one["after_minutes"],
            "name": one["name"],
            "method": one["method"] or _("no known way"),
            "because": shown(one["because"]),
        }
        for one in found
    ]


def _field() -> Field[Any, Any, Any, Any]:
    serializer = import_string("paging.serializers.NotifiedSerializer")
    field: Field[Any, Any, Any, Any] = serializer(many=True, help_text=HELP)
    return field


NOTIFIED = Contributor("notified", gettext_lazy("Who would be paged"), _notified, _field, _lines)
