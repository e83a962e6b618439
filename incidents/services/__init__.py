"""Every write to an incident; import from here."""

from incidents.services.bulk import refused, update_many, update_one
from incidents.services.conversation import comment, comment_and_move, subscribe, unsubscribe
from incidents.services.editing import assign_person, assign_team, revert, update
from incidents.services.history import Fault, verify, verify_all
from incidents.services.lifecycle import NoteMissing, acknowledge, resolve, transition
from incidents.services.links import link, unlink
from incidents.services.opening import NewIncident, external_key, open_incident, open_many
from incidents.services.redaction import redact
from incidents.services.removal import delete, purge, restore

__all__ = [
    "Fault",
    "NewIncident",
    "NoteMissing",
    "acknowledge",
    "assign_person",
    "assign_team",
    "comment",
    "comment_and_move",
    "delete",
    "external_key",
    "link",
    "open_incident",
    "open_many",
    "purge",
    "redact",
    "refused",
    "resolve",
    "restore",
    "revert",
    "subscribe",
    "transition",
    "unlink",
    "unsubscribe",
    "update",
    "update_many",
    "update_one",
    "verify",
    "verify_all",
]
