"""Escalation on the incident's page, and what is wrong with it on the home page."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.text.sentences import shown
from incidents.admin.sections import Section, on_home, on_incident
from incidents.models import Incident
from paging.models import EscalationAlarm
from paging.services.auditing import last_pass
from paging.services.describing import NONE, describe
from paging.vocabulary import RunState
from users.models import User

MAX_PAGES = 20
MAX_ALARMS = 10


def of_incident(incident: Incident, user: User) -> Iterable[Section]:
    """Yield who was paged, and what comes next, for those who may see it."""
    if not user.is_staff:
        return
    found = describe(incident)
    if found["state"] == NONE and not found["pages"] and found["alarm"] is None:
        return
    pages = found["pages"][-MAX_PAGES:]
    yield Section(
        "admin/paging/incident_escalation.html",
        {
            **found,
            "label": _state(found["state"]),
            "sentence": sentence_of(found),
            "rows": [{**page, "became": _became(page)} for page in reversed(pages)],
            "hidden": len(found["pages"]) - len(pages),
        },
        alert=_alert(found["alarm"]["detail"]) if found["alarm"] else "",
    )


def sentence_of(found: dict[str, Any]) -> str:
    """Return the state in a sentence: Ana was called at 03:12, no answer; next: Ben at 03:17."""
    parts = []
    waiting = [page for page in found["pages"] if page["answered_at"] is None and page["cancelled_at"] is None]
    if waiting:
        last = waiting[-1]["at"]
        names = ", ".join(dict.fromkeys(page["name"] for page in waiting if page["at"] == last))
        parts.append(_("%(names)s paged at %(time)s, no answer") % {"names": names, "time": _clock(last)})
    coming = next((one for one in found["next"] if one["step"] is None or one["users"] or one["others"]), None)
    if coming is not None:
        who = ", ".join([*(person["name"] for person in coming["users"]), *coming["others"]])
        what = who or _("alarm that nobody was reached")
        parts.append(_("next: %(who)s at %(time)s") % {"who": what, "time": _clock(coming["at"])})
    said = "; ".join(parts)
    because = shown(found["because"])
    return f"{said}. {because}" if said and because else said or because


def _alert(detail: str) -> str:
    return _("Nobody was reached. %(detail)s") % {"detail": shown(detail)}


def _clock(moment: dt.datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M}"


def _state(state: str) -> str:
    return _("Not started") if state == NONE else str(RunState(state).label)


def _became(page: dict[str, Any]) -> str:
    if page["answered_at"] is not None:
        return _("answered at %(time)s") % {"time": _clock(page["answered_at"])}
    if page["failed_at"] is not None:
        return _("every attempt failed")
    return _("no longer needed") if page["cancelled_at"] is not None else _("no answer yet")


def of_home(user: User) -> Iterable[Section]:
    """Yield incidents that nobody was reached for, and what the audit found, for administrators."""
    if not user.is_admin:
        return
    alarms = EscalationAlarm.objects.filter(cleared_at__isnull=True).select_related("incident").order_by("-pk")
    standing = list(alarms[: MAX_ALARMS + 1])
    last = last_pass()
    findings = last.last_findings if last is not None else []
    if standing or findings:
        context = {"alarms": standing[:MAX_ALARMS], "has_more": len(standing) > MAX_ALARMS, "findings": findings}
        yield Section("admin/paging/home.html", context)


on_incident(of_incident)
on_home(of_home)
