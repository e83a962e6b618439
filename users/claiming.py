"""What an account loses when the owner of its address first proves it, for apps that build on this one."""

from collections.abc import Callable

from users.models import User

Effect = Callable[[User], object]
_effects: list[Effect] = []


def register_claiming(effect: Effect) -> None:
    """Call this in the transaction: it removes what would go on to reach, or let in, whoever made the account."""
    _effects.append(effect)


def disown(user: User) -> None:
    for effect in _effects:
        effect(user)
