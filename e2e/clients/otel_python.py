"""OpenTelemetry's exporter of logs for Python: protobuf, plain and packed."""

from e2e.environments import Environment
from e2e.lines import incident_of_critical, line_of
from e2e.server import Server

TITLE = "OpenTelemetry's log exporter for Python"
PACKAGE = "opentelemetry-exporter-otlp-proto-http"


def run(server: Server) -> str:
    """A line and a critical one, by each compression; the critical one opens an incident."""
    environment = Environment("otel-python", PACKAGE)
    key = server.new_source("logs", name="OpenTelemetry, Python")
    for compression in ("none", "gzip", "deflate"):
        service, words = f"py-shop-{compression}", f"Shop in Python, {compression}"
        environment.run("opentelemetry", server.address, key, service, words, compression)
        line = line_of(server, f"{words}: started", level="info", service=service, host="web-1")
        worse = line_of(server, f"{words}: cannot reach the database", level="critical", service=service)
        assert line["attributes"]["attempt"] == 3, line
        assert "TimeoutError" in str(worse["attributes"]), worse
        incident_of_critical(server, service)
    return f"{environment.version(PACKAGE)}; plain, gzip and deflate; a critical line opens an incident"
