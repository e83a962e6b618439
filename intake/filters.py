"""The list of intake events and its filters."""

from core.api.listing import ListQuery, row_id, time, words
from core.api.paging import Key
from intake.models import IntakeEvent
from intake.vocabulary import IntakeState

INTAKE_EVENTS = ListQuery(
    "intake events",
    IntakeEvent,
    orderings={"id": [Key("id")]},
    default_ordering="-id",
    columns=(
        *("id", "source_id", "format", "state", "reason", "headers", "byte_count", "alert_count"),
        *("received_at", "processed_at", "dismissed_at"),
    ),
    filters={
        "state": words(
            "state", {word: word for word in IntakeState.values}, f"Comma-separated: {', '.join(IntakeState)}."
        ),
        "source": row_id("source_id"),
        "since": time("received_at__gte", "A time (ISO 8601), itself included."),
        "until": time("received_at__lt", "A time (ISO 8601), itself not included."),
    },
)
