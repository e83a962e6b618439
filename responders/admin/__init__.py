"""The pages of teams, services and schedules; importing these modules registers them."""

from responders.admin import schedules, teams

__all__ = ["schedules", "teams"]
