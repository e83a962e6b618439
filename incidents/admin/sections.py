"""Parts of the incident's page and of the home page that other apps add: incidents know nothing of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from incidents.models import Incident
from users.models import User


@dataclass(frozen=True)
class Section:
    """A template, and what it reads as `section`."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


_of_incidents: list[Callable[[Incident, User], Iterable[Section]]] = []
_of_home: list[Callable[[User], Iterable[Section]]] = []


def on_incident(function: Callable[[Incident, User], Iterable[Section]]) -> None:
    """Show the sections that a function makes of an incident and its reader, above the incident's files."""
    _of_incidents.append(function)


def on_home(function: Callable[[User], Iterable[Section]]) -> None:
    """Show the sections that a function makes for a person, above the lists of the home page."""
    _of_home.append(function)


def incident_sections(incident: Incident, user: User) -> list[Section]:
    """Return what other apps add to the page of an incident."""
    return [section for function in _of_incidents for section in function(incident, user)]


def home_sections(user: User) -> list[Section]:
    """Return what other apps add to a person's home page."""
    return [section for function in _of_home for section in function(user)]
