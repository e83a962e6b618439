"""Rules of a person: by which methods, after how many minutes, and in which hours not."""

import re
from typing import Any

from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import DomainError
from notifications.models import ContactMethod, NotificationRule
from users.models import User

MOST_STEPS = 20
MOST_MINUTES = 24 * 60
CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


@unit_of_work
def set_rule(user: User, importance: str, steps: list[dict[str, Any]], quiet_hours: dict[str, Any]) -> NotificationRule:
    """Set the person's rule for pages of this importance. Raises DomainError."""
    if importance == "high" and quiet_hours:
        message = _("Quiet hours never hold pages of high importance; set them for low importance.")
        raise DomainError(message, field="quiet_hours")
    values = {"steps": _checked_steps(user, steps), "quiet_hours": _checked_hours(quiet_hours)}
    rule, _is_new = NotificationRule.objects.update_or_create(user=user, importance=importance, defaults=values)
    return rule


@unit_of_work
def delete_rule(rule: NotificationRule) -> None:
    rule.delete()


def _checked_steps(user: User, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not steps:
        raise DomainError(_("Add a step, or delete the rule to be reached by every method at once."), field="steps")
    if len(steps) > MOST_STEPS:
        raise DomainError(_("At most %(most)d steps.") % {"most": MOST_STEPS}, field="steps")
    own = {method.pk: method for method in ContactMethod.objects.filter(user=user)}
    for number, step in enumerate(steps, 1):
        method = own.get(step["method"])
        if method is None:
            message = _("Step %(number)d: you have no contact method %(method)d.")
            raise DomainError(message % {"number": number, "method": step["method"]}, field="steps")
        if not method.is_verified:
            message = _("Step %(number)d: verify the method first.") % {"number": number}
            raise DomainError(message, field="steps")
    return sorted(
        ({"method": step["method"], "delay_minutes": step["delay_minutes"]} for step in steps),
        key=lambda step: step["delay_minutes"],
    )


def _checked_hours(hours: dict[str, Any]) -> dict[str, Any]:
    if not hours:
        return {}
    start, end = hours.get("from", ""), hours.get("to", "")
    if not (CLOCK.fullmatch(start) and CLOCK.fullmatch(end)):
        raise DomainError(_("Write times as 22:00."), field="quiet_hours")
    if start == end:
        raise DomainError(_("Quiet hours must begin and end at different times."), field="quiet_hours")
    weekdays = sorted(set(hours.get("weekdays") or range(7)))
    return {"from": start, "to": end, "weekdays": weekdays}
