from responders.models.policies import EscalationPolicy, PolicyTarget
from responders.models.teams import ACTIVE, ActiveQuerySet, Membership, Service, Team

__all__ = ["ACTIVE", "ActiveQuerySet", "EscalationPolicy", "Membership", "PolicyTarget", "Service", "Team"]
