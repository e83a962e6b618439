"""Reviews of what happened, and the rule that requires them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from core.severity import SEVERITY_OF_WORD
from incidents.models import Incident
from reviews.models import Review, ReviewRule
from reviews.services import drafting, editing, items
from reviews.vocabulary import Part, ReviewState
from users.models import User

Values = dict[str, Any]
WRITTEN = (
    *("summary", "surprises", "went_well", "went_badly", "themes"),
    *("public_title", "public_text", "public_translations"),
)


def set_up(content: Values, people: Mapping[str, User], incidents: Mapping[str, Incident], today: dt.date) -> None:
    """Make the rule and the reviews; they are written now, of what happened before."""
    rule = content["rule"]
    ReviewRule.objects.create(**{**rule, "min_severity": SEVERITY_OF_WORD[rule["min_severity"]]})
    for row in content["review"]:
        _write(row, people, incidents[row["about"]], today)


def _write(row: Values, people: Mapping[str, User], incident: Incident, today: dt.date) -> None:
    by = people[row["owner"]]
    review = drafting.start_review(incident, by=by, owner=by)
    for text in row["factors"]:
        editing.add_factor(review, by=by, text=text)
    for name in row["reviewers"]:
        editing.add_participant(review, by=by, user=people[name], part=Part.REVIEWER)
    for item in row["item"]:
        _add_item(review, item, people, by, today)
    review = editing.edit_review(review, by=by, changes={name: row[name] for name in WRITTEN if name in row})
    if row["is_completed"]:
        for state in (ReviewState.IN_REVIEW, ReviewState.COMPLETED):
            editing.move_review(review, by=by, state=state)


def _add_item(review: Review, row: Values, people: Mapping[str, User], by: User, today: dt.date) -> None:
    item = items.add_item(
        review,
        by=by,
        owner=people[row["owner"]],
        due_on=today + dt.timedelta(days=row["due"]),
        **{name: row[name] for name in ("title", "description", "url") if name in row},
    )
    if "state" in row:
        items.edit_item(item, by=by, changes={"state": row["state"]})
