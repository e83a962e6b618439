"""Decide which team gets a report, and order the rules that say so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import CharField, F, IntegerField, Max, Q, TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.prepared import Parameter, prepared
from core.db.transactions import unit_of_work
from core.errors import DomainError
from incidents.models import Category, ReportRule
from incidents.rules import Decision, Judged, ReportFacts, RuleSpec, decide, judge
from responders.models import Service, Team
from users.models import User

RULE, TEAM = range(2)
TEAM_FIELDS = ("id", "name", "is_active", "is_default", "escalation_policy_id")


@dataclass(frozen=True)
class Report:
    """What is told of a report so far."""

    title: str = ""
    description: str = ""
    location: str = ""
    category: Category | None = None
    services: Sequence[Service] = ()
    is_restricted: bool = False

    @property
    def facts(self) -> ReportFacts:
        """Return what the rules look at."""
        category = self.category
        return ReportFacts(
            text=f"{self.title}\n{self.description}",
            location=self.location,
            category_id=category.pk if category else None,
            service_ids=frozenset(service.pk for service in self.services),
            service_has_team=any(service.team_id is not None for service in self.services),
            category_has_team=category is not None and category.default_team_id is not None,
            is_restricted=self.is_restricted,
        )


@dataclass(frozen=True)
class Prospect:
    """Where a report would go, why, and what each rule comes to; `because` is rule, service, category or default."""

    team: Team | None
    because: str
    decision: Decision
    judged: Sequence[Judged] = ()


@dataclass(frozen=True)
class RuleBook:
    """The enabled rules in order, and the teams that may get a report."""

    rules: Sequence[RuleSpec]
    teams: Mapping[int, Team]

    def decide(self, report: Report) -> Prospect:
        """Return who gets a report: the team of a rule, of a service, of the category, or the default one."""
        decision = decide(self.rules, report.facts) if self.rules else Decision()
        team = self.teams.get(decision.team.team_id or 0) if decision.team else None
        if team is not None and team.is_active:
            return Prospect(team, "rule", decision)
        if (number := own_team_id(report.services, report.category)) is not None:
            because = "service" if report.facts.service_has_team else "category"
            return Prospect(self.teams.get(number) or own_team(report.services, report.category), because, decision)
        default = next((one for one in self.teams.values() if one.is_default and one.is_active), None)
        return Prospect(None if report.is_restricted else default, "default", decision)


def load_rules(report: Report) -> RuleBook:
    """Return the rules and the teams that this report may go to, in one query."""
    own = own_team_id(report.services, report.category) or 0
    rules: list[tuple[int, RuleSpec]] = []
    teams: dict[int, Team] = {}
    for kind, *row in prepared("rules for reports", _rows).rows(own=own):
        if kind == TEAM:
            number, name, is_active, is_default, policy, *_rest = row
            values = (number, name, bool(is_active), bool(is_default), policy)
            teams[number] = Team.from_db(connection.alias, TEAM_FIELDS, values)
        else:
            number, name, position, category, service, team, severity, location, words = row
            spec = RuleSpec(number, name, category, service, location, tuple(json.loads(words)), team, severity)
            rules.append((position, spec))
    return RuleBook([spec for _position, spec in sorted(rules, key=lambda pair: (pair[0], pair[1].id))], teams)


def try_report(report: Report) -> Prospect:
    """Return what would happen to a report; nothing is stored."""
    book = load_rules(report)
    return replace(book.decide(report), judged=list(judge(book.rules, report.facts)))


def own_team_id(services: Sequence[Service], category: Category | None) -> int | None:
    """Return the id of the first service's team, or of the category's."""
    of_service = next((service.team_id for service in services if service.team_id is not None), None)
    return of_service if of_service is not None or category is None else category.default_team_id


def own_team(services: Sequence[Service], category: Category | None) -> Team | None:
    """Return the first service's team, or the category's."""
    answering = next((service for service in services if service.team_id is not None), None)
    if answering is not None:
        return answering.team
    return category.default_team if category is not None else None


def next_position() -> int:
    last = ReportRule.objects.aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


@unit_of_work
def reorder_rules(ids: Sequence[int], *, by: User) -> None:
    """Put the rules in this order. Raises DomainError unless each is named once."""
    rules = {rule.pk: rule for rule in ReportRule.objects.select_for_update().order_by("pk")}
    if sorted(ids) != sorted(rules):
        raise DomainError(_("Name every rule exactly once; the list has changed in the meantime."), field="ids")
    with acting(by):
        for position, pk in enumerate(ids):
            if rules[pk].position != position:
                rules[pk].position = position
                rules[pk].save(update_fields=["position"])


def _rows() -> Any:
    """Read rules and teams as rows of one shape."""
    enabled = ReportRule.objects.filter(is_enabled=True).order_by()
    empty = Value("", output_field=TextField())
    teams = Team.objects.filter(
        Q(pk=Parameter("own")) | Q(is_default=True, is_active=True) | Q(pk__in=enabled.values("team"))
    )
    return _shaped(
        enabled,
        kind=_integer(RULE),
        first=F("position"),
        second=F("category_id"),
        third=F("service_id"),
        fourth=F("team_id"),
        fifth=F("severity"),
        place=F("location"),
        said=Cast("words", TextField()),
    ).union(
        _shaped(
            teams,
            kind=_integer(TEAM),
            first=F("is_active"),
            second=F("is_default"),
            third=F("escalation_policy_id"),
            fourth=_integer(0),
            fifth=_integer(0),
            place=Value("", output_field=CharField()),
            said=empty,
        ),
        all=True,
    )


def _shaped(queryset: Any, **shape: Any) -> Any:
    return queryset.order_by().annotate(**shape).values_list("kind", "pk", "name", *list(shape)[1:])


def _integer(value: int) -> Value:
    return Value(value, output_field=IntegerField())
