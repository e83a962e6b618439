"""Choose the escalation policy of incidents, and freeze it."""

from collections.abc import Sequence
from typing import Any

from incidents.models import Incident
from responders import targets
from responders.models import EscalationPolicy, Service, Team
from responders.policies import policy_of, with_names
from responders.services.policies import values_of


def policies_for(incidents: Sequence[Incident]) -> dict[int, EscalationPolicy | None]:
    """Return the policy that runs for each incident: the service's, the team's, the team's own, the default."""
    policies = {policy.pk: policy for policy in EscalationPolicy.objects.active().order_by("name")}
    if not policies:
        return dict.fromkeys(incident.pk for incident in incidents)
    of_services = _of_services(incidents)
    of_teams = _of_teams({incident.team_id for incident in incidents if incident.team_id}, policies)
    default = next((policy.pk for policy in policies.values() if policy.is_default), None)
    chosen = {}
    for incident in incidents:
        wanted = (*of_services.get(incident.pk, ()), of_teams.get(incident.team_id or 0), default)
        chosen[incident.pk] = next((policies[number] for number in wanted if number in policies), None)
    return chosen


def policy_for(team: Team | None, services: Sequence[Service]) -> EscalationPolicy | None:
    """Return the policy that would run for an incident of this team that affects these services."""
    policies = {policy.pk: policy for policy in EscalationPolicy.objects.active().order_by("name")}
    ordered = sorted(services, key=lambda service: (service.name, service.pk))
    of_teams = _of_teams({team.pk}, policies) if team is not None else {}
    default = next((policy.pk for policy in policies.values() if policy.is_default), None)
    wanted = (*(service.escalation_policy_id for service in ordered), of_teams.get(team.pk if team else 0), default)
    return next((policies[number] for number in wanted if number in policies), None)


def _of_services(incidents: Sequence[Incident]) -> dict[int, list[int]]:
    """Return the policies of each incident's services, by the services' names."""
    through = Incident.services.through.objects.filter(
        incident__in=[incident.pk for incident in incidents], service__escalation_policy__isnull=False
    )
    found: dict[int, list[int]] = {}
    named = through.order_by("service__name", "service_id").values_list("incident_id", "service__escalation_policy_id")
    for incident_id, policy_id in named:
        found.setdefault(incident_id, []).append(policy_id)
    return found


def _of_teams(team_ids: set[int], policies: dict[int, EscalationPolicy]) -> dict[int, int]:
    if not team_ids:
        return {}
    own = {policy.team_id: policy.pk for policy in reversed(policies.values()) if policy.team_id}
    named = dict(Team.objects.filter(pk__in=team_ids).values_list("pk", "escalation_policy_id"))
    usable = {team: number for team, number in named.items() if number in policies}
    return {**{team: number for team, number in own.items() if team in team_ids}, **usable}


def freeze(policies: Sequence[EscalationPolicy]) -> dict[int, dict[str, Any]]:
    """Return the values and names that escalations of these policies keep."""
    values = {policy.pk: values_of(policy) for policy in policies}
    named = {target.key for one in values.values() for target in policy_of(one).named}
    names = targets.names_of(named)
    return {number: with_names(one, names) for number, one in values.items()}
