"""The kinds of targets that an escalation policy may name; other apps add theirs."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from responders.models import Schedule, Team
from users.models import User

MOST = 5_000  # to choose from

NamesOf = Callable[[Collection[int]], Mapping[int, str]]


@dataclass(frozen=True)
class TargetKind:
    """`names_of` returns the names of the ids that exist and can be paged; `all_names` those to choose from."""

    kind: str
    label: str | Promise
    names_of: NamesOf
    is_people: bool = True  # False: a room or a machine
    all_names: Callable[[], Mapping[int, str]] = dict


_kinds: dict[str, TargetKind] = {}


def register_target_kind(
    kind: str,
    *,
    label: str | Promise,
    names_of: NamesOf,
    is_people: bool = False,
    all_names: Callable[[], Mapping[int, str]] = dict,
) -> None:
    """Let policies name such targets."""
    if kind in _kinds:
        raise ValueError(f"There are two kinds of targets named {kind}.")
    _kinds[kind] = TargetKind(kind, label, names_of, is_people, all_names)


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
    for kind, label, rows in (
        ("schedule", _("Schedule"), _schedules),
        ("team", _("Team"), _teams),
        ("user", _("Person"), _people),
    ):
        names = partial(_names, rows)
        register_target_kind(kind, label=label, names_of=names, is_people=True, all_names=names)


def _names(rows: Callable[[], QuerySet[Any]], ids: Collection[int] | None = None) -> dict[int, str]:
    found = rows() if ids is None else rows().filter(pk__in=ids)
    return dict(found.order_by("name", "pk").values_list("pk", "name")[:MOST])


def _schedules() -> QuerySet[Any]:
    return Schedule.objects.active()


def _teams() -> QuerySet[Any]:
    return Team.objects.active()


def _people() -> QuerySet[Any]:
    people: QuerySet[Any] = User.objects.can_respond()
    return people
