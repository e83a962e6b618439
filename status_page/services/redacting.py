"""Remove leaked texts of an incident from what the public was told of it."""

from collections.abc import Collection
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from core.text.removing import Clean
from status_page.models import PublicIncident, PublicUpdate
from status_page.services.page import changed


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Replace messages that are these texts, with their translations, earlier versions, and the audit log's copies."""
    updates = list(PublicUpdate.objects.select_for_update().filter(public_incident__incident=incident_id))
    found = [update for update in updates if any(_tells(one, texts) for one in [_present(update), *update.earlier])]
    for update in found:
        cleaned = _without(_present(update), texts, instead)
        earlier = [_without(before, texts, instead) for before in update.earlier]
        PublicUpdate.objects.filter(pk=update.pk).update(**cleaned, earlier=earlier)
    _clean_audit_log([update.pk for update in found], texts, instead)
    if found:
        changed()
    _remove_titles(incident_id, texts, instead)


def clean_reviews(incident_id: int, clean: Clean) -> None:
    """Rewrite the published reviews of an incident, in all languages, and the audit log's copies."""
    for row in _locked(incident_id):
        translations = {
            code: {name: clean(text) if name == "review" else text for name, text in texts.items()}
            for code, texts in row.translations.items()
        }
        _rewrite(row, "review", clean(row.review), translations, clean)


def _remove_titles(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Replace titles that are these texts; their translations, which say the same, go too."""

    def clean(text: str) -> str:
        return instead if text in texts else text

    for row in _locked(incident_id):
        kept = row.translations
        if clean(row.title) != row.title:
            kept = {code: {name: text for name, text in one.items() if name != "title"} for code, one in kept.items()}
        _rewrite(row, "title", clean(row.title), kept, clean)


def _locked(incident_id: int) -> list[PublicIncident]:
    return list(PublicIncident.objects.select_for_update().filter(incident=incident_id).order_by("pk"))


def _rewrite(row: PublicIncident, name: str, text: str, translations: dict[str, Any], clean: Clean) -> None:
    if (text, translations) != (getattr(row, name), row.translations):
        written = {name: text, "translations": translations, "version": row.version + 1}
        PublicIncident.objects.filter(pk=row.pk).update(**written)
        changed()
    for entry in LogEntry.objects.get_for_object(row):
        changes = dict(entry.changes or {})
        if name in changes:
            changes[name] = [clean(one) for one in changes[name]]
        if translations != row.translations and "translations" in changes:
            changes["translations"] = ["", ""]
        named = clean(entry.object_repr) if name == "title" else entry.object_repr
        if (changes, named) != (entry.changes, entry.object_repr):
            LogEntry.objects.filter(pk=entry.pk).update(changes=changes, object_repr=named)


def _present(update: PublicUpdate) -> dict[str, Any]:
    return {"message": update.message, "translations": update.translations}


def _tells(version: dict[str, Any], texts: Collection[str]) -> bool:
    translated = (one.get("message") for one in version.get("translations", {}).values())
    return version["message"] in texts or any(text in texts for text in translated)


def _without(version: dict[str, Any], texts: Collection[str], instead: str) -> dict[str, Any]:
    """Return a version of a message without the text: all languages say the same."""
    return {**version, "message": instead, "translations": {}} if _tells(version, texts) else version


def _clean_audit_log(ids: Collection[int], texts: Collection[str], instead: str) -> None:
    kind = ContentType.objects.get_for_model(PublicUpdate)
    for entry in LogEntry.objects.filter(content_type=kind, object_id__in=ids):
        changes = dict(entry.changes or {})
        if pair := changes.get("message"):
            changes["message"] = [instead if text in texts else text for text in pair]
        if pair := changes.get("translations"):
            changes["translations"] = [instead for _text in pair]
        if changes != entry.changes:
            LogEntry.objects.filter(pk=entry.pk).update(changes=changes)
