"""Actions of buttons that other apps offer in chats."""

from collections.abc import Callable

from users.models import User

# (who pressed, the number and the rest of the button's value, the chat's name) -> a stored sentence; raises DomainError
Action = Callable[[User, int, str, str], str]
_actions: dict[str, Action] = {}


def register_action(name: str, action: Action) -> None:
    """Do this, in the transaction that answers, when a linked person presses a button of this name."""
    _actions[name] = action


def action_named(name: str) -> Action | None:
    return _actions.get(name)
