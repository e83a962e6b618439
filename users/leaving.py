"""What an account takes with it when it is deactivated, for apps that build on this one."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from users.models import User


@dataclass(frozen=True)
class Loss:
    """Something that nobody, or somebody else (`is_covered`), would have from then on."""

    what: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_covered: bool


Preview = Callable[[User, dt.datetime], Iterable[Loss]]
Effect = Callable[[User, dt.datetime, User | None], object]
_previews: list[Preview] = []
_effects: list[Effect] = []


def register_leaving(preview: Preview, effect: Effect) -> None:
    """Call `preview` before, and `effect` in the transaction of, a deactivation."""
    _previews.append(preview)
    _effects.append(effect)


def losses_of(user: User, now: dt.datetime) -> list[Loss]:
    """Return what deactivating somebody now would lose, in order."""
    found = (loss for preview in _previews for loss in preview(user, now))
    return sorted(found, key=lambda loss: loss.starts_at)


def leave(user: User, now: dt.datetime, by: User | None) -> None:
    for effect in _effects:
        effect(user, now, by)
