"""What stands above the list: a sentence, the filters' controls, and a chip for each filter that is set."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.templatetags.console import SEVERITY_LABELS
from incidents.models import Category
from incidents.vocabulary import Status
from responders.models import Service, Team
from users.models import User

MOST_CHOICES = 300
IN_SIGHT = 4  # controls; the others are in the menu
ORDERS = {
    "-severity": gettext_lazy("most severe first"),
    "severity": gettext_lazy("least severe first"),
    "-created_at": gettext_lazy("newest first"),
    "created_at": gettext_lazy("oldest first"),
    "-updated_at": gettext_lazy("last changed first"),
    "updated_at": gettext_lazy("longest unchanged first"),
    "resolve_due_at": gettext_lazy("due first"),
    "-resolve_due_at": gettext_lazy("due last"),
    "-priority": gettext_lazy("most urgent first"),
    "priority": gettext_lazy("least urgent first"),
}
LABELS = {
    "q": gettext_lazy("Words"),
    "status": gettext_lazy("Status"),
    "is_open": gettext_lazy("State"),
    "severity": gettext_lazy("Severity"),
    "priority": gettext_lazy("Priority"),
    "category": gettext_lazy("Category"),
    "team": gettext_lazy("Team"),
    "assignee": gettext_lazy("Assignee"),
    "reporter": gettext_lazy("Reporter"),
    "service": gettext_lazy("Service"),
    "location": gettext_lazy("Location"),
    "source": gettext_lazy("Source"),
    "created_after": gettext_lazy("Reported since"),
    "created_before": gettext_lazy("Reported before"),
    "created_within": gettext_lazy("Reported within"),
    "breached": gettext_lazy("Missed target"),
    "due_within": gettext_lazy("Due within minutes"),
    "acknowledged": gettext_lazy("Acknowledged"),
    "reopened": gettext_lazy("Reopened"),
}
COLUMN_LABELS = {
    "reference": gettext_lazy("Number"),
    "status": gettext_lazy("Status"),
    "team": gettext_lazy("Team"),
    "assignee": gettext_lazy("Assignee"),
    "due": gettext_lazy("Due"),
    "services": gettext_lazy("Services"),
    "category": gettext_lazy("Category"),
    "location": gettext_lazy("Location"),
    "reporter": gettext_lazy("Reporter"),
    "priority": gettext_lazy("Priority"),
    "source": gettext_lazy("Source"),
    "created": gettext_lazy("Reported"),
    "updated": gettext_lazy("Updated"),
}
WITHIN = {"24h": gettext_lazy("24 hours"), "7d": gettext_lazy("7 days"), "30d": gettext_lazy("30 days")}
BREACHES = {
    "ack": gettext_lazy("to acknowledge"),
    "resolve": gettext_lazy("to resolve"),
    "any": gettext_lazy("either"),
}


def sentence(parameters: Mapping[str, str], count: int, most: int) -> str:
    """Say in one sentence what the list shows."""
    given = {name: value for name, value in parameters.items() if name in LABELS and value}
    order = ORDERS.get(parameters.get("ordering", "-created_at"), _("in the order you chose"))
    values = {"n": count, "most": most, "order": order}
    if count > most:
        return _("More than %(most)d incidents match, %(order)s.") % values
    if given == {"is_open": "true"}:
        return ngettext("%(n)d open incident, %(order)s.", "%(n)d open incidents, %(order)s.", count) % values
    if given == {"is_open": "true", "team": "mine"}:
        of_mine = ngettext("%(n)d open in my teams, %(order)s.", "%(n)d open in my teams, %(order)s.", count)
        return of_mine % values
    if given == {"is_open": "true", "assignee": "me"}:
        return ngettext("%(n)d open and mine, %(order)s.", "%(n)d open and mine, %(order)s.", count) % values
    if not given:
        return ngettext("%(n)d incident in all, %(order)s.", "%(n)d incidents in all, %(order)s.", count) % values
    return ngettext("%(n)d incident matches, %(order)s.", "%(n)d incidents match, %(order)s.", count) % values


class Bar:
    """The controls of the filters, each with its choices and what is chosen."""

    def __init__(self, parameters: QueryDict, viewer: User) -> None:
        self.parameters = parameters
        self.viewer = viewer

    @cached_property
    def teams(self) -> list[tuple[str, str]]:
        named = Team.objects.order_by("name").values_list("pk", "name")[:MOST_CHOICES]
        return [("mine", _("My teams")), ("none", _("No team")), *((str(pk), name) for pk, name in named)]

    @property
    def team_choices(self) -> list[tuple[str, str]]:
        """Return what an incident's team can become."""
        return self.teams[1:]

    @cached_property
    def people(self) -> list[tuple[str, str]]:
        named = User.objects.can_respond().order_by("name").values_list("pk", "name")[:MOST_CHOICES]
        return [("me", _("Me")), ("none", _("Nobody")), *((str(pk), name) for pk, name in named)]

    @cached_property
    def services(self) -> list[tuple[str, str]]:
        return list(Service.objects.order_by("name").values_list("slug", "name")[:MOST_CHOICES])

    @cached_property
    def categories(self) -> list[tuple[str, str]]:
        return list(Category.objects.order_by("name").values_list("slug", "name")[:MOST_CHOICES])

    @property
    def states(self) -> list[tuple[str, Any]]:
        return [("true", _("Open")), ("false", _("Ended"))]

    @property
    def severities(self) -> list[tuple[str, Any]]:
        return list(SEVERITY_LABELS.items())

    @property
    def statuses(self) -> list[tuple[str, Any]]:
        return [(status.value, status.label) for status in Status]

    @property
    def withins(self) -> list[tuple[str, Any]]:
        return list(WITHIN.items())

    @property
    def breaches(self) -> list[tuple[str, Any]]:
        return list(BREACHES.items())

    @property
    def orders(self) -> list[tuple[str, Any]]:
        return list(ORDERS.items())

    @cached_property
    def selects(self) -> list[dict[str, Any]]:
        """Return the filters that are chosen from a list."""
        choices = {
            "is_open": self.states,
            "severity": self.severities,
            "team": self.teams,
            "assignee": self.people,
            "service": self.services,
            "category": self.categories,
            "status": self.statuses,
            "created_within": self.withins,
            "breached": self.breaches,
        }
        found = [
            {"name": name, "label": LABELS[name], "choices": offered, "chosen": self.parameters.get(name, "")}
            for name, offered in choices.items()
        ]
        for one in found:
            values = [value for value, _label in one["choices"]]
            if one["chosen"] and one["chosen"] not in values:
                one["choices"] = [*one["choices"], (one["chosen"], one["chosen"])]
        return found

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """Return the filters that have no control, which the form carries along."""
        shown = {*(one["name"] for one in self.selects), "q", "location"}
        return [(name, value) for name, value in self.parameters.items() if name in LABELS and name not in shown]

    @property
    def chips(self) -> list[dict[str, Any]]:
        """Return what is set, and how to take it off."""
        named = {one["name"]: dict(one["choices"]) for one in self.selects}
        chips = []
        for name, value in self.parameters.items():
            if name in LABELS and value:
                rest = self.parameters.copy()
                rest.pop("cursor", None)
                rest[name] = ""
                label = named.get(name, {}).get(value, value)
                chips.append({"name": name, "label": LABELS[name], "value": label, "off": rest.urlencode()})
        return chips

    @property
    def tucked_away(self) -> list[dict[str, Any]]:
        """Return the chips of what no control in sight shows."""
        in_sight = {"q", *(one["name"] for one in self.selects[:IN_SIGHT])}
        return [chip for chip in self.chips if chip["name"] not in in_sight]
