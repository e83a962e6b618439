"""What the pages' navigation offers to whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from users.models import Role, User

EVERYBODY = frozenset(Role)
RESPONDERS = frozenset({Role.RESPONDER, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True)
class Entry:
    """A page in the navigation; `view` is its URL's name, `key` the second of `g …`."""

    label: Any
    icon: str
    view: str
    roles: frozenset[Role] = EVERYBODY
    key: str = ""


GROUPS: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        _("Work"),
        (
            Entry(_("Dashboard"), "gauge", "console:dashboard", RESPONDERS, "d"),
            Entry(_("Incidents"), "siren", "console:incidents", key="i"),
            Entry(_("Alerts"), "bell-ring", "console:alerts", RESPONDERS, "a"),
            Entry(_("On call"), "phone-call", "console:on-call", key="o"),
            Entry(_("Reviews"), "clipboard-check", "console:reviews", RESPONDERS, "r"),
            Entry(_("Action items"), "list-checks", "console:action-items", RESPONDERS),
            Entry(_("Inbox"), "inbox", "console:inbox", key="n"),
        ),
    ),
    (
        _("Signals"),
        (
            Entry(_("Logs"), "scroll-text", "console:logs", RESPONDERS, "l"),
            Entry(_("Silences"), "bell-off", "console:silences", RESPONDERS),
            Entry(_("Routes"), "route", "console:routes", RESPONDERS),
            Entry(_("Heartbeats"), "heart-pulse", "console:heartbeats", ADMINS),
            Entry(_("Detection rules"), "scan-search", "console:detection-rules", RESPONDERS),
            Entry(_("Sources"), "plug", "console:sources", ADMINS),
        ),
    ),
    (
        _("Remediation"),
        (
            Entry(_("Runs"), "play", "console:runs", RESPONDERS),
            Entry(_("Runbooks"), "list-checks", "console:runbooks", RESPONDERS),
        ),
    ),
    (
        _("Communication"),
        (Entry(_("Status page"), "megaphone", "console:status-page", RESPONDERS),),
    ),
    (
        _("Organisation"),
        (
            Entry(_("Escalation policies"), "list-tree", "console:policies", RESPONDERS),
            Entry(_("SLA report"), "timer", "console:sla-report", RESPONDERS),
            Entry(_("Report rules"), "split", "console:report-rules", ADMINS),
            Entry(_("Suggestions"), "history", "console:assistant", ADMINS),
            Entry(_("Deliveries"), "send", "console:deliveries", ADMINS),
            Entry(_("System"), "activity", "console:system", RESPONDERS),
            Entry(_("Back office"), "building-2", "admin:index", RESPONDERS),
        ),
    ),
)


def entries(user: User) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Yield groups of what a person may open."""
    for label, group in GROUPS:
        yield label, [_offered(entry) for entry in group if user.role in entry.roles]


def _offered(entry: Entry) -> dict[str, Any]:
    return {
        "label": entry.label,
        "icon": entry.icon,
        "url": reverse(entry.view),
        "view": entry.view,
        "key": entry.key,
    }
