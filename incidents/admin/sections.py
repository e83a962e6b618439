"""Sections that other apps add to pages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from incidents.models import Incident
from users.models import User


@dataclass(frozen=True)
class Section:
    """A template and its context; `alert` stands in red at the top of the page."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    alert: str = ""


_of_incidents: list[Callable[[Incident, User], Iterable[Section]]] = []
_of_home: list[Callable[[User], Iterable[Section]]] = []


def on_incident(function: Callable[[Incident, User], Iterable[Section]]) -> None:
    """Register a source of sections for an incident's page."""
    _of_incidents.append(function)


def on_home(function: Callable[[User], Iterable[Section]]) -> None:
    """Register a source of sections for the home page."""
    _of_home.append(function)


def incident_sections(incident: Incident, user: User) -> list[Section]:
    return [section for function in _of_incidents for section in function(incident, user)]


def home_sections(user: User) -> list[Section]:
    return [section for function in _of_home for section in function(user)]
