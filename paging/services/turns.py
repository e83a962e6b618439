"""Whose turn it is, in steps that page one person at a time."""

import hashlib
from collections.abc import Iterable

from core.db import rows
from paging.models import RoundRobin
from responders.policies import ROUND_ROBIN, Policy


class Turns:
    """The turns of the policies of a batch, locked until its transaction ends."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        keys = {
            key_of(policy, place)
            for policy in policies
            for place, step in enumerate(policy.steps)
            if step.strategy == ROUND_ROBIN
        }
        self._rows = self._locked(sorted(keys)) if keys else {}
        self._taken: set[str] = set()

    @staticmethod
    def _locked(keys: list[str]) -> dict[str, RoundRobin]:
        found = {row.key: row for row in RoundRobin.objects.select_for_update().filter(key__in=keys).order_by("pk")}
        for key in keys:
            if key not in found:
                found[key] = RoundRobin.objects.select_for_update().get_or_create(key=key)[0]
        return found

    def last(self, policy: Policy, place: int) -> int | None:
        row = self._rows.get(key_of(policy, place))
        return row.last_user if row is not None else None

    def take(self, policy: Policy, place: int, user_id: int) -> None:
        key = key_of(policy, place)
        self._rows[key].last_user = user_id
        self._taken.add(key)

    def write(self) -> None:
        rows.update_many([self._rows[key] for key in sorted(self._taken)], ["last_user"])


def last_turns(policy: Policy) -> dict[int, int | None]:
    """Return who was last in turn, by the place of the step; nothing is locked."""
    keys = {key_of(policy, place): place for place, one in enumerate(policy.steps) if one.strategy == ROUND_ROBIN}
    known = RoundRobin.objects.filter(key__in=keys).values_list("key", "last_user") if keys else ()
    return {keys[key]: last for key, last in known}


def key_of(policy: Policy, place: int) -> str:
    """Return the key of a step: the same after other steps were moved."""
    named = ",".join(sorted(f"{one.kind}:{one.id}" for one in policy.steps[place].targets))
    return hashlib.sha256(f"{policy.id}/{named}".encode()).hexdigest()
