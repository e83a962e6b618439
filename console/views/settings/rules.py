"""When a person is reached by what: an editor of plain forms, whose buttons add and remove steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.pages import page, person, say, show
from core.errors import DomainError, NotFound
from notifications.channels.port import channel_of
from notifications.models import ContactMethod, NotificationRule
from notifications.services import rules
from notifications.vocabulary import Importance
from users.models import User

TITLES = {
    Importance.HIGH: gettext_lazy("Pages of high importance"),
    Importance.LOW: gettext_lazy("Pages of low importance"),
}
MOST_DIGITS = 18


@dataclass
class Rule:
    """A rule as the editor shows it; `steps` are (method, minutes) as typed."""

    importance: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    quiet_from: str = ""
    quiet_to: str = ""
    weekdays: list[int] = field(default_factory=lambda: list(range(7)))
    is_stored: bool = False
    labels: list[tuple[str, str]] = field(default_factory=list)

    @property
    def title(self) -> Any:
        return TITLES[Importance(self.importance)]

    @property
    def has_quiet_hours(self) -> bool:
        return self.importance == Importance.LOW


def rules_of(user: User, methods: Sequence[ContactMethod]) -> list[Rule]:
    """Return the rule of each importance, to read."""
    names = {row.pk: name_of(row) for row in methods}
    stored = {row.importance: row for row in NotificationRule.objects.filter(user=user)}
    return [_shown(importance, stored.get(importance), names) for importance in TITLES]


def name_of(method: ContactMethod) -> str:
    channel = channel_of(method.kind)
    return method.label or f"{channel.label if channel else method.kind}: {method.address}"


def _shown(importance: str, stored: NotificationRule | None, names: dict[int, str]) -> Rule:
    if stored is None:
        return Rule(importance)
    hours = stored.quiet_hours
    steps = [(str(step["method"]), str(step["delay_minutes"])) for step in stored.steps]
    return Rule(
        importance,
        steps,
        hours.get("from", ""),
        hours.get("to", ""),
        hours.get("weekdays") or list(range(7)),
        is_stored=True,
        labels=[(names.get(int(method), _("a removed method")), minutes) for method, minutes in steps],
    )


@page
def edit(request: HttpRequest, importance: str) -> HttpResponse:
    if importance not in Importance.values:
        raise NotFound(_("There is no such rule."))
    me = person(request)
    verified = list(ContactMethod.objects.verified().filter(user=me).order_by("id"))
    stored = NotificationRule.objects.filter(user=me, importance=importance).first()
    rule, problem, status = _shown(importance, stored, {}), "", 200
    if request.method == "POST":
        rule = _typed(request, importance, is_stored=stored is not None)
        try:
            if sentence := _act(request, me, rule, stored):
                say(request, sentence)
                return HttpResponseRedirect(reverse("console:settings-contacts"))
        except DomainError as error:
            problem, status = error.message, error.status
    rule.steps = rule.steps or [("", "0")]
    context = {
        "rule": rule,
        "methods": [(str(row.pk), name_of(row)) for row in verified],
        "weekdays": list(WEEKDAYS.items()),
        "problem": problem,
        "most_minutes": rules.MOST_MINUTES,
    }
    return show(request, "console/settings/rule.html", context, status=status)


def _typed(request: HttpRequest, importance: str, *, is_stored: bool) -> Rule:
    given = request.POST
    days = [int(day) for day in given.getlist("weekdays") if day in {"0", "1", "2", "3", "4", "5", "6"}]
    steps = list(zip(given.getlist("method"), given.getlist("minutes"), strict=False))[: rules.MOST_STEPS + 1]
    return Rule(importance, steps, given.get("quiet_from", ""), given.get("quiet_to", ""), days, is_stored)


def _act(request: HttpRequest, me: User, rule: Rule, stored: NotificationRule | None) -> str:
    """Do what the pressed button says; return a sentence when the page is done."""
    if "add" in request.POST:
        rule.steps.append(("", rule.steps[-1][1] if rule.steps else "0"))
        return ""
    removed = request.POST.get("remove", "")
    if removed:
        rule.steps = [step for number, step in enumerate(rule.steps) if str(number) != removed]
        return ""
    if "delete" in request.POST:
        if stored is not None:
            rules.delete_rule(stored)
        return _("Rule deleted: every verified method is used at once.")
    rules.set_rule(me, rule.importance, _numbers(rule.steps), _hours(rule))
    return _("Saved.")


def _numbers(steps: list[tuple[str, str]]) -> list[dict[str, Any]]:
    found = []
    for number, (method, minutes) in enumerate(steps, 1):
        if not (method.isascii() and method.isdigit() and len(method) <= MOST_DIGITS):
            raise DomainError(_("Step %(number)d: choose a method.") % {"number": number})
        is_number = minutes.isascii() and minutes.isdigit() and len(minutes) <= MOST_DIGITS
        if not is_number or int(minutes) > rules.MOST_MINUTES:
            message = _("Step %(number)d: write minutes from 0 to %(most)d.")
            raise DomainError(message % {"number": number, "most": rules.MOST_MINUTES})
        found.append({"method": int(method), "delay_minutes": int(minutes)})
    return found


def _hours(rule: Rule) -> dict[str, Any]:
    if not (rule.quiet_from or rule.quiet_to):
        return {}
    if not rule.weekdays:
        raise DomainError(_("Choose the days on which quiet hours begin."))
    return {"from": rule.quiet_from, "to": rule.quiet_to, "weekdays": rule.weekdays}


urlpatterns = [path("settings/contacts/rules/<str:importance>/", edit, name="settings-rule")]
