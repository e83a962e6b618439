"""From a body of the earlier systems to the fields of our API."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.http import QueryDict

from core.api.fields import MAX_TEXT
from core.api.problems import refuse
from core.text.names import one_line
from incident_response.legacy import words
from incident_response.legacy.labels import Labels, split_labels, with_labels
from incidents.vocabulary import Status
from responders.models import Service, Team
from users.models import User

MOST_NAMES = 50
MOST_CHOICES = 500
NAME_LENGTH = 100
LISTS = {"affected_systems", "tags", "services", "attachments"}
PEOPLE = ("assigned_user", "assigned_to")
NOBODY_ELSE = (None, "", "me")
LABELLED = {"affected_systems", "tags", "source_query"}


def fields_of(data: Any, *, described: str | None = None) -> Any:
    """Return our fields; `described` is the description so far of an incident that is changed, None for a new one.

    Refuses unknown words with 400. What is no object is returned as it is: the API refuses it.
    """
    if not isinstance(data, Mapping):
        return data
    fields = {name: _value(data, name) for name in data}
    if "status" in fields:
        fields["status"] = words.status_of(fields["status"])
    if described is None and fields.pop("status", Status.OPEN) != Status.OPEN:
        refuse("status", "What is new is OPEN; change it afterwards.")
    if "severity" in fields:
        fields["severity"] = words.severity_of(fields["severity"])
    if fields.get("priority") is not None:
        fields["priority"] = words.priority_of(fields["priority"])
    _rename_people(fields)
    return _with_labels(fields, described)


def ticket_fields_of(data: Any) -> Any:
    """Return our fields of a new ticket, whose priority in words is our severity, which anybody may say."""
    if not isinstance(data, Mapping):
        return data
    fields = {name: _value(data, name) for name in data}
    priority = fields.get("priority")
    if "severity" not in fields and isinstance(priority, str) and priority.lower() in words.PRIORITY_OF_SEVERITY:
        fields["severity"] = fields.pop("priority")
    return fields_of(fields)


def needs_description(data: Any) -> bool:
    """Return whether the change touches what the description keeps."""
    return isinstance(data, Mapping) and bool({*LABELLED, "description"} & set(data))


def names_person(data: Any) -> bool:
    """Return whether the body names somebody other than its sender."""
    return isinstance(data, Mapping) and any(data.get(name) not in NOBODY_ELSE for name in PEOPLE)


def team_named(value: Any, field: str) -> int | None:
    """Return the id of a team given by id or name; 400 for none."""
    if value in (None, ""):
        return None
    found: int | None = Team.objects.filter(_by_id_or_name(value)).values_list("pk", flat=True).first()
    return found if found is not None else refuse(field, f"There is no team {value}.", "does_not_exist")


def _rename_people(fields: dict[str, Any]) -> None:
    if "assigned_team" in fields:
        fields["team"] = team_named(fields.pop("assigned_team"), "assigned_team")
    for name in PEOPLE:
        if name in fields:
            fields["assignee"] = _person_named(fields.pop(name), name)


def _person_named(value: Any, field: str) -> int | str | None:
    if value in NOBODY_ELSE:
        return value or None
    found: list[int] = list(User.objects.active().filter(_by_id_or_name(value)).values_list("pk", flat=True)[:2])
    if len(found) != 1:
        said = f"Several people are called {value}; send the id." if found else f"There is nobody called {value}."
        refuse(field, said, "does_not_exist")
    return found[0]


def _by_id_or_name(value: Any) -> Q:
    text = str(value)
    is_id = not isinstance(value, bool) and text.isascii() and text.isdigit() and len(text) <= 18
    return Q(pk=int(text)) if is_id else Q(name=text)


def _with_labels(fields: dict[str, Any], described: str | None) -> dict[str, Any]:
    if not needs_description(fields):
        return fields
    before, kept = split_labels(described or "")
    systems, tags, query = kept.systems, kept.tags, kept.query
    if "affected_systems" in fields:
        known, systems = _services(_names(fields, "affected_systems"))
        given = fields.get("services")
        fields["services"] = [*(given if isinstance(given, list) else []), *known]
    if "tags" in fields:
        tags = _names(fields, "tags")
    if "source_query" in fields:
        query = _line(fields.pop("source_query"), "source_query", MAX_TEXT)
    text = fields.get("description", before)
    if isinstance(text, str):
        fields["description"] = with_labels(text, Labels(systems, tags, query))
    return fields


def _services(names: list[str]) -> tuple[list[str], list[str]]:
    """Return the slugs of active services of these slugs or names, and the names of none."""
    if not names:
        return [], []
    condition = Q()
    for name in names:
        condition |= Q(slug=name.lower()) | Q(name__iexact=name)
    slugs: dict[str, str] = {}
    for slug, name in Service.objects.active().filter(condition).order_by("-pk").values_list("slug", "name"):
        slugs |= {name.casefold(): slug}
    slugs |= {slug: slug for slug in list(slugs.values())}
    known = [slugs[name.casefold()] for name in names if name.casefold() in slugs]
    return list(dict.fromkeys(known)), [name for name in names if name.casefold() not in slugs]


def _names(fields: dict[str, Any], field: str) -> list[str]:
    value = fields.pop(field)
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list) or len(given) > MOST_NAMES:
        refuse(field, f"Send a list of at most {MOST_NAMES} names.")
    if len(given) == 1 and isinstance(given[0], str):
        given = given[0].split(",")
    return list(dict.fromkeys(filter(None, (_line(name, field, NAME_LENGTH) for name in given))))


def _line(value: Any, field: str, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        refuse(field, f"Send text of at most {most} characters.")
    return one_line(value)


def _value(data: Mapping[str, Any], name: str) -> Any:
    if isinstance(data, QueryDict):
        return data.getlist(name) if name in LISTS else data[name]
    return data[name]


def ticket_form() -> dict[str, Any]:
    """Return what a new ticket may say."""
    return {
        "required": ["title"],
        "optional": ["description", "severity", "priority", "affected_systems", "category", "location", "tags"],
        "severity": [words.shown(word) for word in words.PRIORITY_OF_SEVERITY],
        "priority": [words.shown(word) for word in words.PRIORITY_OF_SEVERITY],
        "affected_systems": list(
            Service.objects.active().order_by("name").values_list("slug", flat=True)[:MOST_CHOICES]
        ),
    }
