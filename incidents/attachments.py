"""Files of incidents: what is stored, and taking it away."""

from collections.abc import Iterable

import structlog
from django.core.files.storage import default_storage

from incidents.models import Attachment, Incident

log = structlog.get_logger(__name__)


def stored_keys(incident: Incident) -> list[str]:
    """The storage names of all files of an incident."""
    rows = Attachment.objects.filter(incident=incident).values_list("original_key", "served_key", "thumbnail_key")
    return [key for row in rows for key in row if key]


def discard(keys: Iterable[str]) -> None:
    """Delete files that no row names any more; one that cannot be deleted is logged and left."""
    for key in keys:
        try:
            default_storage.delete(key)
        except OSError as error:
            log.warning("file_not_deleted", key=key, error=str(error))
