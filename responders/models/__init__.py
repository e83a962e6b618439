from responders.models.teams import ACTIVE, ActiveQuerySet, Membership, Service, Team

__all__ = ["ACTIVE", "ActiveQuerySet", "Membership", "Service", "Team"]
