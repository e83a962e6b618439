"""OpenTelemetry's exporter of logs for JavaScript: JSON, in chunks of which nobody said how long they are."""

from e2e.environments import NodeEnvironment
from e2e.lines import incident_of_critical, line_of
from e2e.server import Server

TITLE = "OpenTelemetry's log exporter for JavaScript"
PACKAGE = "@opentelemetry/exporter-logs-otlp-http"
OTHERS = ("@opentelemetry/sdk-logs", "@opentelemetry/api-logs", "@opentelemetry/resources")


def run(server: Server) -> str:
    """A line and a critical one, by each compression; the critical one opens an incident."""
    environment = NodeEnvironment("otel-javascript", PACKAGE, *OTHERS)
    key = server.new_source("logs", name="OpenTelemetry, JavaScript")
    for compression in ("none", "gzip"):
        service, words = f"js-shop-{compression}", f"Shop in JavaScript, {compression}"
        environment.run("opentelemetry", server.address, key, service, words, compression)
        line = line_of(server, f"{words}: started", level="info", service=service, host="web-2")
        worse = line_of(server, f"{words}: cannot reach the database", level="critical", service=service)
        assert line["attributes"]["attempt"] == 3, line
        assert worse["attributes"]["exception.type"] == "TimeoutError", worse
        incident_of_critical(server, service)
    return f"{environment.version(PACKAGE)}; plain and gzip, chunked; a critical line opens an incident"
