"""Types that are generated from the OpenAPI document, for TypeScript."""

from e2e.environments import NodeEnvironment
from e2e.server import Server

TITLE = "A TypeScript client generated from the OpenAPI document"
PACKAGE = "openapi-typescript"
OTHERS = ("openapi-fetch@0.17.0", "typescript@5.9.3", "@types/node@20")


def run(server: Server) -> str:
    """Generate the types, compile the README's first tour against them, and take it."""
    environment = NodeEnvironment("generated-typescript", f"{PACKAGE}@7.13.0", *OTHERS)
    document = server.folder / "openapi-for-typescript.json"
    server.manage("spectacular", "--format", "openapi-json", "--file", str(document))
    seen = environment.run("generated", str(environment.folder), str(document), server.address, server.token)
    assert seen == "acknowledged resolved created,attachment_added,acknowledged,comment,resolved 1", seen
    return f"{environment.version(PACKAGE)}; compiles strictly; registers, reports with a file, resolves, reads"
