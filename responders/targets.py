"""The kinds of targets that an escalation policy may name; other apps add theirs."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from responders.models import Schedule, Team
from users.models import Role, User

NamesOf = Callable[[Collection[int]], Mapping[int, str]]


@dataclass(frozen=True)
class TargetKind:
    """`names_of` returns the names of the ids that exist and can be paged."""

    kind: str
    label: str | Promise
    names_of: NamesOf
    is_people: bool = True  # False: a room or a machine


_kinds: dict[str, TargetKind] = {}


def register_target_kind(kind: str, *, label: str | Promise, names_of: NamesOf, is_people: bool = False) -> None:
    """Let policies name such targets; each app config's ready() does so once."""
    if kind in _kinds:
        raise ValueError(f"There are two kinds of targets named {kind}.")
    _kinds[kind] = TargetKind(kind, label, names_of, is_people)


def target_kinds() -> dict[str, TargetKind]:
    """Return the kinds by their word, in the order they were registered."""
    return dict(_kinds)


def kinds() -> list[tuple[str, str]]:
    """Return each kind and its label, for the API description."""
    return [(one.kind, str(one.label)) for one in _kinds.values()]


def names_of(targets: Collection[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the names of those (kind, id) that exist; one query per kind."""
    found: dict[tuple[str, int], str] = {}
    for kind in dict.fromkeys(kind for kind, _id in targets):
        if kind in _kinds:
            ids = {number for of_kind, number in targets if of_kind == kind}
            found |= {(kind, number): name for number, name in _kinds[kind].names_of(ids).items()}
    return found


def register() -> None:
    """Register schedules, people and teams."""
    register_target_kind("schedule", label=_("Schedule"), names_of=_schedules, is_people=True)
    register_target_kind("user", label=_("Person"), names_of=_people, is_people=True)
    register_target_kind("team", label=_("Team"), names_of=_teams, is_people=True)


def _people(ids: Collection[int]) -> dict[int, str]:
    people = User.objects.active().filter(pk__in=ids, role__in=(Role.RESPONDER, Role.ADMIN))
    return dict(people.values_list("pk", "name"))


def _schedules(ids: Collection[int]) -> dict[int, str]:
    return dict(Schedule.objects.active().filter(pk__in=ids).values_list("pk", "name"))


def _teams(ids: Collection[int]) -> dict[int, str]:
    return dict(Team.objects.active().filter(pk__in=ids).values_list("pk", "name"))
