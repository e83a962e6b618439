"""From our API's answers to what the earlier systems' users know: their fields beside ours, words in capitals."""

from collections.abc import Sequence
from typing import Any

from incident_response.legacy.labels import split_labels
from incident_response.legacy.words import SEVERITY_OF_PRIORITY, shown
from responders.models import Team
from users.models import User


def incident_answers(rows: Sequence[dict[str, Any]], *, is_ticket: bool = False) -> list[dict[str, Any]]:
    """Return incidents as the API shows them in the earlier systems' words."""
    teams = _names(Team, [row["team"] for row in rows])
    people = _names(User, [row["assignee"] for row in rows])
    return [_incident(row, teams, people, is_ticket=is_ticket) for row in rows]


def _incident(row: dict[str, Any], teams: dict[int, str], people: dict[int, str], *, is_ticket: bool) -> dict[str, Any]:
    description, labels = split_labels(row["description"])
    answer = {
        **row,
        "description": description,
        "severity": shown(row["severity"]),
        "status": shown(row["status"]),
        "allowed_transitions": [shown(status) for status in row["allowed_transitions"]],
        "affected_systems": [*row["services"], *labels.systems],
        "unknown_systems": list(labels.systems),
        "tags": list(labels.tags),
        "source_query": labels.query or None,
        "assigned_team": teams.get(row["team"]),
        "assigned_user": people.get(row["assignee"]),
    }
    if is_ticket:
        answer |= {"priority": shown(SEVERITY_OF_PRIORITY[row["priority"]]), "assigned_to": answer["assigned_user"]}
    return answer


def page_answer(name: str, page: dict[str, Any], rows: Sequence[Any], **more: Any) -> dict[str, Any]:
    """Return a page of our API with its rows also under the name that earlier systems gave them."""
    return {name: rows, **more, "has_next": page["next"] is not None, **page, "results": rows}


def _names(model: type[Team] | type[User], ids: Sequence[int | None]) -> dict[int, str]:
    wanted = {pk for pk in ids if pk is not None}
    rows: Any = model._default_manager
    return dict(rows.filter(pk__in=wanted).order_by().values_list("pk", "name")) if wanted else {}
