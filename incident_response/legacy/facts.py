"""What `/health` tells beside the checks."""

from core.server.facts import facts
from core.server.health import count_of


def register_facts() -> None:
    facts.register("splunk_connected", lambda: False, until_read=False)
    facts.register("incidents_detected", lambda: count_of("incidents"), until_read=0)
