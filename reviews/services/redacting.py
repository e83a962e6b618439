"""Remove texts that were redacted from a timeline from the review that copied them."""

import re
from collections.abc import Collection
from functools import partial
from typing import Any

from core.db import rows
from reviews.models import ActionItem, Factor, Moment, Participant, Review
from reviews.narrative import quoted
from status_page.services.redacting import Clean, clean_reviews

DISTINCT = 8  # characters: a shorter text is removed only where it stands as words of its own
COPIES: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (Moment, ("text",)),
    (Factor, ("text",)),
    (Participant, ("notes",)),
    (ActionItem, ("title", "description")),
)
TEXTS = ("title", "summary", "impact", "surprises", "went_well", "went_badly", "public_title", "public_text")


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Remove leaked texts from the incident's review and its public edition, in the transaction of the redaction."""
    review = Review.objects.select_for_update().filter(incident=incident_id).first()
    if review is None:
        return
    # longest first: a short one may be part of another
    wanted = sorted(
        {text for leaked in texts for text in (leaked, quoted(leaked), leaked.strip())}, key=len, reverse=True
    )
    clean = partial(_without, patterns=[_pattern(text) for text in wanted if text], instead=instead)
    _clean([review], (*TEXTS, "themes", "public_translations"), clean)
    for model, names in COPIES:
        _clean(list(model._default_manager.filter(review=review)), names, clean)
    clean_reviews(incident_id, clean)


def _clean(found: list[Any], names: tuple[str, ...], clean: Clean) -> None:
    changed = []
    for row in found:
        before = [getattr(row, name) for name in names]
        after = [_cleaned(value, clean) for value in before]
        if before != after:
            for name, text in zip(names, after, strict=True):
                setattr(row, name, text)
            changed.append(row)
    rows.update_many(changed, names)


def _cleaned(value: Any, clean: Clean) -> Any:
    """Return a text, or all texts of a list or an object, cleaned."""
    if isinstance(value, dict):
        return {name: _cleaned(one, clean) for name, one in value.items()}
    return [clean(one) for one in value] if isinstance(value, list) else clean(value)


def _without(text: str, patterns: list[re.Pattern[str]], instead: str) -> str:
    for pattern in patterns:
        text = pattern.sub(lambda _match: instead, text)
    return text


def _pattern(text: str) -> re.Pattern[str]:
    whole = re.escape(text)
    return re.compile(whole if len(text) >= DISTINCT else rf"(?<!\w){whole}(?!\w)")
