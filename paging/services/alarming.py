"""Raise the alarm that nobody was reached, and clear it."""

import datetime as dt
from collections.abc import Collection, Sequence

from core.db import rows
from core.text.sentences import Sentence
from incidents.models import Incident
from paging.models import EscalationAlarm
from responders.notices import Notice, announce
from users.models import User

NOBODY_REACHED = Sentence("Nobody was reached for %(incident)s: %(title)s")
RESTRICTED = Sentence("Nobody was reached for %(incident)s: a restricted incident")


def raise_alarms(alarms: Sequence[EscalationAlarm]) -> list[EscalationAlarm]:
    """Store alarms and tell all administrators by every means; one that was raised already tells nobody."""
    if not alarms:
        return []
    known = set(EscalationAlarm.objects.filter(key__in=[one.key for one in alarms]).values_list("key", flat=True))
    new = [one for one in alarms if one.key not in known]
    rows.insert(*new)
    if new:
        admins = tuple(User.objects.admins().order_by("pk").values_list("pk", flat=True))
        announce(*(_notice(alarm, admins) for alarm in new))
    return new


def _notice(alarm: EscalationAlarm, admins: Collection[int]) -> Notice:
    incident: Incident = alarm.incident
    return Notice(
        key=f"alarm-{alarm.key}",
        kind="nobody_reached",
        title=_title(incident),
        body=alarm.detail,
        users=admins,
        incident=incident.pk,
        path=f"/incidents/{incident.reference}/",
        is_urgent=True,
        by_every_means=True,
    )


def _title(incident: Incident) -> str:
    if incident.is_restricted:
        return RESTRICTED.say(incident=incident.reference)
    return NOBODY_REACHED.say(incident=incident.reference, title=incident.title)


def standing_alarm(incident_id: int) -> EscalationAlarm | None:
    """Return the alarm that stands for an incident, if any."""
    return EscalationAlarm.objects.filter(incident=incident_id, cleared_at__isnull=True).order_by("-pk").first()


def clear(incident_ids: Collection[int], at: dt.datetime) -> None:
    EscalationAlarm.objects.filter(incident__in=incident_ids, cleared_at__isnull=True).update(cleared_at=at)
