"""Load what steps need to know: who is on call, who is in teams, who may see what."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from incidents.models import Incident
from incidents.permissions import audience_ids
from paging.planning import Facts, Person
from responders import targets
from responders.models import Membership
from responders.policies import NEXT, Policy, Target
from responders.services import oncall
from users.models import User

PEOPLE = ("schedule", "team", "user")


@dataclass(frozen=True)
class Known:
    """What was loaded for many steps at one moment; each schedule once."""

    at: dt.datetime
    on_call: Mapping[int, Sequence[Person]] = field(default_factory=dict)
    on_call_next: Mapping[int, Sequence[Person]] = field(default_factory=dict)
    members: Mapping[int, Sequence[Person]] = field(default_factory=dict)
    people: Mapping[int, Person] = field(default_factory=dict)
    admins: frozenset[int] = frozenset()
    rooms: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def facts(
        self, severity: int, incident: Incident | None = None, turns: Mapping[int, int | None] | None = None
    ) -> Facts:
        """Return the facts of one step; people who cannot see a restricted incident are hidden from it."""
        return Facts(
            at=self.at,
            severity=severity,
            on_call=self.on_call,
            on_call_next=self.on_call_next,
            members=self.members,
            people=self.people,
            rooms=self.rooms,
            hidden_from=self._hidden_from(incident),
            turns=turns or {},
        )

    def _hidden_from(self, incident: Incident | None) -> frozenset[int]:
        if incident is None or not incident.is_restricted:
            return frozenset()
        return frozenset(self.people) - self.admins - audience_ids(incident)


def steps_named(policies: Iterable[Policy]) -> list[tuple[Target, bool]]:
    """Return all targets of policies, and whether the next on call is asked for."""
    found = [(target, step.strategy == NEXT) for policy in policies for step in policy.steps for target in step.named]
    return found + [(target, False) for policy in policies for target in policy.on_exhausted]


def load(named: Iterable[tuple[Target, bool]], at: dt.datetime) -> Known:
    """Load the facts of targets at one moment, in few queries for any number of steps."""
    wanted = set(named)
    now = {target.id for target, is_next in wanted if target.kind == "schedule" and not is_next}
    then = {target.id for target, is_next in wanted if target.kind == "schedule" and is_next}
    answers = oncall.on_call_and_next(now | then, at) if now or then else {}
    on_call = _people_of({number: found for number, (found, _) in answers.items()}, "On call")
    on_call_next = _people_of({number: found for number, (_, found) in answers.items()}, "Next on call")
    direct = {target.id for target, _ in wanted if target.kind == "user"}
    team_ids = {target.id for target, _ in wanted if target.kind == "team"}
    scheduled = {person.id for people in (*on_call.values(), *on_call_next.values()) for person in people}
    people, memberships, admins = _people(direct | scheduled, team_ids)
    return Known(
        at=at,
        on_call=_only(on_call, people),
        on_call_next=_only(on_call_next, people),
        members=memberships,
        people={number: Person(number, name, "Named directly") for number, name in people.items()},
        admins=admins,
        rooms=targets.names_of({target.key for target, _ in wanted if target.kind not in PEOPLE}),
    )


def _people_of(answers: Mapping[int, oncall.OnCall], prefix: str) -> dict[int, list[Person]]:
    return {
        number: [Person(one.user_id, one.name, f"{prefix} in {one.why}") for one in answer.people]
        for number, answer in answers.items()
    }


def _only(found: Mapping[int, Sequence[Person]], people: Mapping[int, str]) -> dict[int, list[Person]]:
    return {number: [one for one in candidates if one.id in people] for number, candidates in found.items()}


def _people(
    ids: Collection[int], team_ids: Collection[int]
) -> tuple[dict[int, str], dict[int, list[Person]], frozenset[int]]:
    """Return the names of those who can be paged, the members of teams, and who of them are administrators."""
    members: dict[int, list[Person]] = {}
    memberships = Membership.objects.filter(
        team__in=team_ids, team__is_active=True, user__in=User.objects.can_respond()
    )
    if team_ids:
        for team, name, user, user_name in memberships.order_by("user__name", "user_id").values_list(
            "team_id", "team__name", "user_id", "user__name"
        ):
            members.setdefault(team, []).append(Person(user, user_name, f"Member of {name}"))
    wanted = {*ids, *(person.id for people in members.values() for person in people)}
    found = list(User.objects.can_respond().filter(Q(pk__in=wanted))) if wanted else []
    return (
        {user.pk: user.name for user in found},
        members,
        frozenset(user.pk for user in found if user.is_admin),
    )
