"""Load what steps need to know: who is on call, who is in teams, who may see what."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.text.sentences import Sentence
from incidents.models import Incident
from incidents.permissions import audience_ids
from paging.planning import Facts, Person
from responders import targets
from responders.models import Membership
from responders.policies import NEXT, Policy, Target
from responders.services import oncall
from users.models import Role, User

PEOPLE = ("schedule", "team", "user")

ON_CALL = Sentence("On call in %(list_of)s")
ON_CALL_NEXT = Sentence("Next on call in %(list_of)s")
DIRECTLY = Sentence("Named directly")
MEMBER = Sentence("Member of %(team)s")


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
    return Reader(named).at(at)


class Reader:
    """Reads the facts of targets at ever later moments: schedules for some time ahead at once, all else once."""

    def __init__(self, named: Iterable[tuple[Target, bool]], ahead: dt.timedelta = dt.timedelta(0)) -> None:
        wanted = set(named)
        self._ahead = ahead
        self._now = {target.id for target, is_next in wanted if target.kind == "schedule" and not is_next}
        self._then = {target.id for target, is_next in wanted if target.kind == "schedule" and is_next}
        self._rooms = targets.names_of({target.key for target, _ in wanted if target.kind not in PEOPLE})
        # by id: name and role; None cannot be paged
        self._members, self._people = _members({target.id for target, _ in wanted if target.kind == "team"})
        self._wanted = {target.id for target, _ in wanted if target.kind == "user"} | set(self._people)
        self._loaded: dict[int, oncall.Loaded] = {}
        self._until: dt.datetime | None = None

    def at(self, at: dt.datetime) -> Known:
        answers = self._answers(at)
        on_call = _people_of({key: found for key, (found, _) in answers.items() if key in self._now}, ON_CALL)
        after = _people_of({key: found for key, (_, found) in answers.items() if key in self._then}, ON_CALL_NEXT)
        self._names(self._wanted)
        people = {number: found for number, found in self._people.items() if found is not None}
        return Known(
            at=at,
            on_call=_only(on_call, people),
            on_call_next=_only(after, people),
            members=self._members,
            people={number: Person(number, name, DIRECTLY.say()) for number, (name, _) in people.items()},
            admins=frozenset(number for number, (_, role) in people.items() if role == Role.ADMIN),
            rooms=self._rooms,
        )

    def _answers(self, at: dt.datetime) -> dict[int, tuple[oncall.OnCall, oncall.OnCall]]:
        schedules = self._now | self._then
        if schedules and (self._until is None or at > self._until):
            self._until = at + self._ahead
            self._loaded = oncall.load(schedules, at - oncall.AROUND, self._until + oncall.AROUND)
        return oncall.answers(self._loaded, at, self._names, with_next=bool(self._then))

    def _names(self, ids: Iterable[int]) -> dict[int, str]:
        """Return the names of those who can be paged, reading whom is not known yet."""
        asked = set(ids)
        if new := asked - set(self._people):
            found = User.objects.can_respond().filter(pk__in=new).values_list("pk", "name", "role")
            self._people |= dict.fromkeys(new) | {number: (name, role) for number, name, role in found}
        return {number: known[0] for number in asked if (known := self._people[number]) is not None}


def _people_of(answers: Mapping[int, oncall.OnCall], why: Sentence) -> dict[int, list[Person]]:
    return {
        number: [Person(one.user_id, one.name, why.say(list_of=one.why)) for one in answer.people]
        for number, answer in answers.items()
    }


def _only(found: Mapping[int, Sequence[Person]], people: Collection[int]) -> dict[int, list[Person]]:
    return {number: [one for one in candidates if one.id in people] for number, candidates in found.items()}


def _members(team_ids: Collection[int]) -> tuple[dict[int, list[Person]], dict[int, tuple[str, str] | None]]:
    """Return the members of teams who can be paged, and their names and roles."""
    members: dict[int, list[Person]] = {}
    people: dict[int, tuple[str, str] | None] = {}
    if not team_ids:
        return members, people
    memberships = Membership.objects.filter(
        team__in=team_ids, team__is_active=True, user__in=User.objects.can_respond()
    )
    columns = ("team_id", "team__name", "user_id", "user__name", "user__role")
    for team, team_name, number, name, role in memberships.order_by("user__name", "user_id").values_list(*columns):
        members.setdefault(team, []).append(Person(number, name, MEMBER.say(team=team_name)))
        people[number] = (name, role)
    return members, people
