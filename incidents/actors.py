"""Who acts on an incident: a person, or a named machine."""

from dataclasses import dataclass

from incidents.vocabulary import MachineKind
from users.models import User


@dataclass(frozen=True)
class Actor:
    """An account, a person (`name`) in another system, a machine, or a person through one; SYSTEM is none.

    Actor(name="Ada", machine=MachineKind.SOURCE, machine_name="Opsgenie") is Ada in Opsgenie.
    """

    user: User | None = None
    name: str = ""
    machine: MachineKind | None = None
    machine_name: str = ""

    @classmethod
    def of(cls, by: "By") -> "Actor":
        """Return the actor of a service's `by`."""
        if isinstance(by, Actor):
            return by
        return SYSTEM if by is None else cls(by, by.name)


By = User | Actor | None
SYSTEM = Actor()


def person(by: By) -> User | None:
    """Return the account whose rights count; None for machines."""
    return by.user if isinstance(by, Actor) else by
