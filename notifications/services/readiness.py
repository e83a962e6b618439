"""Who is to be paged in the coming weeks but cannot be reached, and why."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications.channels.port import channel_of
from notifications.models import ContactMethod, NotificationRule
from notifications.vocabulary import MethodState, Problem
from responders.models import EscalationPolicy, Membership, Schedule
from responders.services.oncall import shifts
from users.models import Role, User

AHEAD = dt.timedelta(days=30)


@dataclass(frozen=True)
class Unready:
    """Somebody whom a page would not reach surely; a `warning` still leaves a way."""

    user: User
    code: Problem
    reason: str
    where: tuple[str, ...]
    is_warning: bool = False


def unready_people(now: dt.datetime) -> list[Unready]:
    """Return those on active schedules (30 days ahead) and policies who cannot be reached, the worst first."""
    places = _places(now)
    people = {user.pk: user for user in User.objects.filter(pk__in=places)}
    methods: dict[int, list[ContactMethod]] = defaultdict(list)
    for method in ContactMethod.objects.filter(user__in=places).order_by("id"):
        methods[method.user_id].append(method)
    rules: dict[int, list[NotificationRule]] = defaultdict(list)
    for rule in NotificationRule.objects.filter(user__in=places).order_by("importance"):
        rules[rule.user_id].append(rule)
    found = []
    for pk, user in people.items():
        where = tuple(dict.fromkeys(places[pk]))
        for code, reason, is_warning in _problems(user, methods[pk], rules[pk]):
            found.append(Unready(user, code, str(reason), where, is_warning))
    return sorted(found, key=lambda one: (one.is_warning, one.user.name, one.user.pk))


def _places(now: dt.datetime) -> dict[int, list[str]]:
    """Return where each person is to be paged: their schedules and policies."""
    places: dict[int, list[str]] = defaultdict(list)
    schedules = dict(Schedule.objects.active().values_list("pk", "name"))
    for schedule, rendered in shifts(list(schedules), now, now + AHEAD).items():
        for user in {shift.user_id for shift in rendered}:
            places[user].append(_("schedule %(name)s") % {"name": schedules[schedule]})
    policies = list(EscalationPolicy.objects.active().order_by("name"))
    members: dict[int, set[int]] = defaultdict(set)
    teams = {team for policy in policies for team in _named(policy, "team")}
    paged = Membership.objects.filter(team__in=teams).exclude(user__role=Role.REPORTER)
    for team, user in paged.values_list("team", "user"):
        members[team].add(user)
    for policy in policies:
        for user in sorted(_named(policy, "user").union(*(members[team] for team in _named(policy, "team")))):
            places[user].append(_("policy %(name)s") % {"name": policy.name})
    return places


def _named(policy: EscalationPolicy, kind: str) -> set[int]:
    targets = [target for step in policy.steps for target in step["targets"]] + list(policy.on_exhausted)
    return {target["id"] for target in targets if target["kind"] == kind}


def _problems(
    user: User, methods: list[ContactMethod], rules: list[NotificationRule]
) -> Iterable[tuple[Problem, object, bool]]:
    if not user.is_active:
        yield Problem.INACTIVE, _("The account is deactivated."), False
        return
    if user.role == Role.REPORTER:
        yield Problem.REPORTER, _("Reporters are never paged."), False
        return
    verified = [method for method in methods if method.is_verified]
    usable = [method for method in verified if _why_not(method) == ""]
    if not methods:
        yield Problem.NO_METHOD, _("No contact method."), False
    elif not verified:
        yield Problem.NO_VERIFIED_METHOD, _("No contact method is verified: %(why)s") % {"why": _states(methods)}, False
    elif not usable:
        yield Problem.NO_WORKING_METHOD, " ".join(_why_not(method) for method in verified), False
    elif all(method.state == MethodState.FAILING for method in usable):
        yield Problem.ALL_FAILING, _("Every contact method is failing: %(why)s") % {"why": _states(usable)}, True
    known = {method.pk for method in usable}
    for rule in rules:
        lost = sum(step["method"] not in known for step in rule.steps)
        if lost:
            message = ngettext(
                "The rule for %(importance)s importance has %(number)d step that reaches nobody.",
                "The rule for %(importance)s importance has %(number)d steps that reach nobody.",
                lost,
            )
            yield Problem.RULE_BROKEN, message % {"importance": rule.importance, "number": lost}, True


def _why_not(method: ContactMethod) -> str:
    channel = channel_of(method.kind)
    if channel is None:
        return str(_("%(kind)s is unknown to this server.") % {"kind": method.kind})
    return str(channel.why_unusable())


def _states(methods: list[ContactMethod]) -> str:
    shown = (
        f"{method.kind} {method.get_state_display().lower()}{f' ({method.reason})' if method.reason else ''}"
        for method in methods
    )
    return ", ".join(shown) + "."
