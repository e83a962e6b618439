"""Checks of what people type about schedules. Raises ValidationError."""

from functools import cache
from zoneinfo import available_timezones

import holidays
from django.core.exceptions import ValidationError

zone_names = cache(available_timezones)


def zone_or_utc(name: object) -> str:
    """Return a zone's name, UTC where there is none of this name."""
    return name if isinstance(name, str) and name in zone_names() else "UTC"


def refuse_unknown_zone(name: str) -> None:
    if name not in zone_names():
        raise ValidationError({"time_zone": f"{name} is not a time zone; try Europe/Zurich."})


def refuse_unknown_region(code: str) -> None:
    """Accept a country, or a country and its subdivision, such as CH and CH-ZH."""
    if not code:
        return
    country, _, subdivision = code.partition("-")
    supported = holidays.list_supported_countries(include_aliases=True)
    if country not in supported:
        raise ValidationError({"holidays": f"{country} is not a country whose holidays are known, such as CH or US."})
    if subdivision and subdivision not in supported[country]:
        known = ", ".join(supported[country]) or "none"
        raise ValidationError({"holidays": f"{subdivision} is no subdivision of {country}; known: {known}."})
