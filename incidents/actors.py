"""Who acts on an incident: a person, or a machine with a name."""

from dataclasses import dataclass

from incidents.vocabulary import MachineKind
from users.models import User


@dataclass(frozen=True)
class Actor:
    """A person (an account, or a `name` that another system knows), a named machine, or one through the other.

    Actor(name="Ada", machine=MachineKind.SOURCE, machine_name="Opsgenie") is Ada in Opsgenie. Nobody at all is this
    system itself.
    """

    user: User | None = None
    name: str = ""
    machine: MachineKind | None = None
    machine_name: str = ""

    @classmethod
    def of(cls, by: "By") -> "Actor":
        """Return the actor that a service was given."""
        if isinstance(by, Actor):
            return by
        return SYSTEM if by is None else cls(by, by.name)


By = User | Actor | None
SYSTEM = Actor()


def person(by: By) -> User | None:
    """Return the account whose rights count; None for machines, which were admitted where they came in."""
    return by.user if isinstance(by, Actor) else by
