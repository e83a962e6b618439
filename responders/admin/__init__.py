"""The pages of teams, services and schedules; importing these modules registers them."""

from responders.admin import teams

__all__ = ["teams"]
