"""Define the lifecycle: one table of actions."""

from dataclasses import dataclass

from incidents.vocabulary import OPEN_STATUSES, EventKind, Status


@dataclass(frozen=True)
class Action:
    """A transition between statuses."""

    name: str
    from_statuses: tuple[Status, ...]
    to_status: Status
    event_kind: EventKind
    needs_note: bool = False


ACTIONS: tuple[Action, ...] = (
    Action("acknowledge", (Status.OPEN,), Status.ACKNOWLEDGED, EventKind.ACKNOWLEDGED),
    Action("start", (Status.OPEN, Status.ACKNOWLEDGED), Status.IN_PROGRESS, EventKind.STARTED),
    Action("hold", (Status.ACKNOWLEDGED, Status.IN_PROGRESS), Status.ON_HOLD, EventKind.HELD, needs_note=True),
    Action("resume", (Status.ON_HOLD,), Status.IN_PROGRESS, EventKind.RESUMED),
    Action("resolve", OPEN_STATUSES, Status.RESOLVED, EventKind.RESOLVED),
    Action("close", (Status.RESOLVED,), Status.CLOSED, EventKind.CLOSED),
    Action("reopen", (Status.RESOLVED, Status.CLOSED), Status.OPEN, EventKind.REOPENED, needs_note=True),
)

ACTIONS_BY_NAME = {action.name: action for action in ACTIONS}

_BY_MOVE = {(start, action.to_status): action for action in ACTIONS for start in action.from_statuses}
_FROM = {status: tuple(action for action in ACTIONS if status in action.from_statuses) for status in Status}


def action_between(start: str, target: str) -> Action | None:
    """Return the action from one status straight to another, or None."""
    return _BY_MOVE.get((Status(start), Status(target)))


def actions_from(status: str) -> tuple[Action, ...]:
    return _FROM[Status(status)]


def allowed_transitions(status: str) -> list[str]:
    """Return the statuses that are one step away."""
    return [action.to_status.value for action in actions_from(status)]
