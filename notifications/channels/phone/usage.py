"""Caps on SMS and calls a day: whoever takes over an account must not ring up a bill."""

import datetime as dt
import hashlib
from collections.abc import Mapping

from django.conf import settings

from core.db import rows
from core.db.transactions import unit_of_work
from notifications.channels.phone.numbers import country_of, mask
from notifications.models import PhoneUsage

KEPT_DAYS = 7
NAMES = {
    "number": "PHONE_DAILY_PER_NUMBER",
    "person": "PHONE_DAILY_PER_PERSON",
    "country": "PHONE_DAILY_PER_COUNTRY",
}


@unit_of_work
def admit(user_id: int | None, number: str, now: dt.datetime, waives_personal: bool = False) -> str:
    """Count an SMS or call that is about to begin, or return which cap forbids it."""
    today, scopes = now.date(), _scopes(user_id, number)
    found = PhoneUsage.objects.filter(day=today, scope__in=scopes.values())
    counts = dict(found.values_list("scope", "count"))
    for name, scope in scopes.items():
        most = getattr(settings, NAMES[name])
        if name == "person" and waives_personal:
            continue
        if most and counts.get(scope, 0) >= most:
            what = {"number": f"the number {mask(number)}", "person": "one person", "country": "one country"}[name]
            return f"{most:,} SMS and calls went to {what} today, which is {NAMES[name]}"
    _count(today, scopes, counts)
    return ""


def _scopes(user_id: int | None, number: str) -> dict[str, str]:
    digest = hashlib.sha256(number.encode()).hexdigest()
    scopes = {"number": f"number:{digest}", "country": f"country:{country_of(number)}"}
    return scopes if user_id is None else {**scopes, "person": f"person:{user_id}"}


def _count(today: dt.date, scopes: Mapping[str, str], counts: Mapping[str, int]) -> None:
    if set(scopes.values()) - set(counts):
        PhoneUsage.objects.filter(day__lt=today - dt.timedelta(days=KEPT_DAYS)).delete()
    rows.add_up(PhoneUsage, "count", {(today, scope): 1 for scope in scopes.values()}, "day", "scope")
