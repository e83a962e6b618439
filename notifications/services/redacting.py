"""Remove leaked texts from what people were told of an incident."""

from collections.abc import Collection

from core.db import rows
from notifications.models import Delivery, Notification

TOLD = ("title", "body")


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Remove texts from inboxes and the outbox: where they are all that is said, or follow what it is about."""
    entries = list(Notification.objects.filter(incident=incident_id).order_by("pk"))
    for entry in entries:
        entry.title, entry.body = (_without(text, texts, instead) for text in (entry.title, entry.body))
    rows.update_many(entries, TOLD)
    deliveries = [row for row in Delivery.objects.filter(incident=incident_id).order_by("pk") if "title" in row.content]
    for row in deliveries:
        row.content |= {name: _without(str(row.content.get(name, "")), texts, instead) for name in TOLD}
    rows.update_many(deliveries, ["content"])


def _without(said: str, texts: Collection[str], instead: str) -> str:
    for text in texts:
        if said == text:
            return instead
        if said.endswith(f": {text}"):
            return said.removesuffix(text) + instead
    return said
