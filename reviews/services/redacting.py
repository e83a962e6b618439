"""Remove texts that were redacted from a timeline from the review that copied them."""

from collections.abc import Collection
from typing import Any

from core.db.cleaning import clean_rows
from core.text.removing import remover_of
from reviews.models import ActionItem, Factor, Moment, Participant, Review
from reviews.narrative import quoted
from status_page.services.redacting import clean_reviews

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
    clean = remover_of({text for leaked in texts for text in (leaked, quoted(leaked), leaked.strip())}, instead)
    clean_rows([review], (*TEXTS, "themes", "public_translations"), clean)
    for model, names in COPIES:
        clean_rows(list(model._default_manager.filter(review=review)), names, clean)
    clean_reviews(incident_id, clean)
