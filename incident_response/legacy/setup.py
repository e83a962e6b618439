"""What the earlier systems' addresses register with the apps."""

from django.conf import settings

from core.server import callers
from core.server.facts import facts
from core.server.health import count_of
from incident_response.legacy.authentication import BearerPersonalToken
from incident_response.legacy.endpoints import LEGACY_LOGS
from incident_response.legacy.redacting import remove_labels
from incident_response.legacy.splunk import Connection
from incidents.services.redaction import register_cleaner
from intake.endpoints import register_endpoints


def register() -> None:
    """Register the facts of `/health`, and what serves the addresses if they are on."""
    splunk = Connection()
    facts.register("splunk_connected", splunk.read, until_read=False, is_well=splunk.is_well)
    facts.register("incidents_detected", lambda: count_of("incidents"), until_read=0)
    register_cleaner(remove_labels)
    if settings.LEGACY_ROUTES:
        callers.more_methods.append(BearerPersonalToken)
        register_endpoints(LEGACY_LOGS)
