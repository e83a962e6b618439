"""Remove leaked texts of an incident from what the public was told of it."""

from collections.abc import Collection
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from status_page.models import PublicUpdate
from status_page.services.page import changed


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Replace messages that are these texts, their earlier versions, and the audit log's copies."""
    updates = list(PublicUpdate.objects.select_for_update().filter(public_incident__incident=incident_id))
    found = [update for update in updates if _messages(update) & set(texts)]
    for update in found:
        update.message = instead if update.message in texts else update.message
        update.earlier = [_without(before, texts, instead) for before in update.earlier]
        PublicUpdate.objects.filter(pk=update.pk).update(message=update.message, earlier=update.earlier)
    _clean_audit_log([update.pk for update in found], texts, instead)
    if found:
        changed()


def _messages(update: PublicUpdate) -> set[str]:
    return {update.message, *(before["message"] for before in update.earlier)}


def _without(before: dict[str, Any], texts: Collection[str], instead: str) -> dict[str, Any]:
    return {**before, "message": instead} if before["message"] in texts else before


def _clean_audit_log(ids: Collection[int], texts: Collection[str], instead: str) -> None:
    kind = ContentType.objects.get_for_model(PublicUpdate)
    for entry in LogEntry.objects.filter(content_type=kind, object_id__in=ids):
        pair = (entry.changes or {}).get("message")
        if pair and set(pair) & set(texts):
            changes = {**entry.changes, "message": [instead if text in texts else text for text in pair]}
            LogEntry.objects.filter(pk=entry.pk).update(changes=changes)
