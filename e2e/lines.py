"""Log lines as the API shows them, and what the rules make of them."""

from typing import Any

from e2e.server import Server, eventually


def line_of(server: Server, message: str, **wanted: Any) -> dict[str, Any]:
    """Wait for the one line of exactly this message, and check what else it says of itself; the line."""

    def found() -> dict[str, Any] | None:
        lines = [line for line in server.get("logs/", q=message)["results"] if line["message"] == message]
        assert len(lines) < 2, f"{len(lines)} lines say {message!r}"
        return next(iter(lines), None)

    line = eventually(found, f"a line {message!r}; there are {[one['message'] for one in _latest(server)]}")
    said = {name: line[name] for name in wanted}
    assert said == wanted, f"{said} of {line}"
    return line


def incident_of_critical(server: Server, service: str) -> dict[str, Any]:
    """Wait for the one incident that the rule that comes with the system opens for a service; the incident."""

    def found() -> dict[str, Any] | None:
        alerts = server.get("alerts/", **{"label.service": service})["results"]
        assert len(alerts) < 2, f"{len(alerts)} alerts of {service}"
        return next((one for one in alerts if one["incident"]), None)

    alert = eventually(found, f"an alert of {service} with an incident")
    incident: dict[str, Any] = server.get(f"incidents/{alert['incident']}/")
    assert (incident["status"], incident["severity"]) == ("open", "critical"), incident
    return incident


def _latest(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("logs/", page_size=10)["results"]
    return found
