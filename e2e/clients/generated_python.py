"""A client that is generated from the OpenAPI document, for Python."""

import shutil

from e2e.environments import Environment
from e2e.server import Server

TITLE = "A Python client generated from the OpenAPI document"
PACKAGE = "openapi-python-client"


def run(server: Server) -> str:
    """Generate it, compile it, and take the README's first tour with it: register, report, resolve, read."""
    environment = Environment("generated-python", f"{PACKAGE}==0.29.1")
    document = server.folder / "openapi.json"
    server.manage("spectacular", "--format", "openapi-json", "--file", str(document))
    target = server.folder / "generated" / "incident_response_client"
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir()
    environment.run("generate", str(document), str(target))
    seen = environment.run("generated", str(target.parent), server.address, server.token)
    assert seen == "acknowledged resolved created,attachment_added,acknowledged,comment,resolved 1", seen
    return f"{environment.version(PACKAGE)}; registers, reports with a file, resolves, reads the timeline and metrics"
