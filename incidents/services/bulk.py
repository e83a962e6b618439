"""Update many incidents, each in its own transaction."""

from collections.abc import Sequence
from typing import Any

from core.errors import Busy, DomainError
from incidents.models import Incident, Origin
from incidents.permissions import absent
from incidents.services.editing import update
from users.models import User


def update_many(
    ids: Sequence[int],
    *,
    by: User,
    fields: dict[str, Any] | None = None,
    status: str | None = None,
    note: str = "",
    grants_access: bool = False,
    origin: str = Origin.API,
) -> list[dict[str, Any]]:
    """Update each incident; return {id, ok, is_changed, status | code, detail} per id.

    Invisible ones are answered as absent; refusals do not stop the others. `grants_access` is as in `update`.
    """
    change = {"fields": fields, "status": status, "note": note, "grants_access": grants_access}
    found = {incident.pk: incident for incident in Incident.objects.visible_to(by).filter(pk__in=ids)}
    results = []
    for pk in ids:
        try:
            results.append(_one(found.get(pk), pk, by=by, origin=origin, **change))
        except Busy as error:
            results.append(refused(pk, error))
    return results


def update_one(pk: int, *, by: User, origin: str = Origin.API, **change: Any) -> dict[str, Any]:
    """Update one incident of a number. Raises Busy where nothing was tried."""
    return _one(Incident.objects.visible_to(by).filter(pk=pk).first(), pk, by=by, origin=origin, **change)


def refused(pk: int, error: DomainError) -> dict[str, Any]:
    """Return the result of an incident that was not changed."""
    return {"id": pk, "ok": False, "code": error.code, "detail": error.message, **error.extra}


def _one(incident: Incident | None, pk: int, **change: Any) -> dict[str, Any]:
    if incident is None:
        return refused(pk, absent(f"INC-{pk}"))
    before = incident.event_count
    try:
        changed = update(incident, **change)
    except Busy:
        raise
    except DomainError as error:
        return refused(pk, error)
    is_changed = changed.event_count != before
    return {"id": pk, "ok": True, "is_changed": is_changed, "status": changed.status, "version": changed.version}
