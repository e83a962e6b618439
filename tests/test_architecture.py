"""The house rules that a machine can check: who imports whom, what files are called, how long they are."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.test import SimpleTestCase

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "incident_response"

# docs/architecture.md, "Who may import whom".
ALLOWED = {
    "core": set(),
    "users": set(),
    "responders": {"users"},
    "incidents": {"responders", "users"},
    "intake": {"responders", "users"},
    "alerts": {"intake", "incidents", "responders", "users"},
    "logs": {"alerts", "intake", "users"},
    "integrations": {"intake", "alerts", "logs"},
    "paging": {"incidents", "responders", "users"},
    "notifications": {"paging", "incidents", "responders", "users"},
    "status_page": {"notifications", "incidents", "responders", "users"},
    "reviews": {"status_page", "notifications", "incidents", "responders", "users"},
    "assistant": {
        *("users", "responders", "incidents", "intake", "alerts", "logs", "paging", "notifications", "status_page"),
        "reviews",
    },
    "remediation": {
        *("users", "responders", "incidents", "intake", "alerts", "logs", "paging", "notifications", "assistant"),
    },
    "console": {
        *("users", "responders", "incidents", "intake", "alerts", "logs", "integrations"),
        *("paging", "notifications", "status_page", "reviews", "assistant", "remediation"),
    },
}
EVERYBODYS = {"core"}
# Somebody has to sign in, and an alert to come of it.
TESTS_MAY = {"core": {"users", PROJECT}, "integrations": {"incidents", "users"}}

# The names that every app shares. What else an app may hold is its own pure modules and helpers of its services.
APP_FILES = {"models", "services", "serializers", "views", "filters", "urls", "admin", "jobs", "apps", "tests"}
APP_PARTS = {"__init__", "migrations", "management", "vocabulary", "permissions", "audit", "monitoring"}
OWN_MODULES = {
    "core": {
        "templatetags",
        "db",
        "text",
        "api",
        "backoffice",
        "server",
        "outbound",
        "errors",
        "severity",
        "jobs",
        "actor",
    },
    "users": {
        *(
            "addresses",
            "authentication",
            "backends",
            "hashing",
            "lockout",
            "claiming",
            "leaving",
            "mails",
            "middleware",
            "pages",
        ),
        *("oidc", "passwords", "schema", "sealing", "throttling", "tokens", "totp", "webauthn"),
    },
    "paging": {"pages", "planning"},
    "assistant": {
        *("anomalies", "answers", "correlation", "learning", "models", "prompts"),
        *("likeness", "providers", "redacting", "suggestions", "summaries"),
    },
    "remediation": {"agent", "authentication", "binding", "guards", "plans", "steps", "validation"},
    "reviews": {"narrative", "reminding", "rendering", "validation"},
    "console": {
        *(
            "api_urls",
            "charts",
            "configuration",
            "forms",
            "codes",
            "devices",
            "icons",
            "landing",
            "lists",
            "live",
            "maintenance",
            "navigation",
            "pages",
            "preferences",
            "rows",
            "saved_views",
            "static",
            "templates",
            "templatetags",
            "undo",
            "icons",
            "live",
            "navigation",
            "pages",
            "preferences",
            "reporting",
            "rows",
            "static",
            "templates",
        ),
        *("templatetags", "undo"),
        *("configuration", "forms", "lists", "maintenance"),
        *("api_urls", "charts", "icons", "live", "navigation", "oncall", "pages", "preferences", "rows", "static"),
        *("templates", "templatetags", "undo"),
        *("reporting", "templatetags", "undo"),
    },
    "responders": {"ical", "lineups", "notices", "oncall", "policies", "targets", "validation"},
    "status_page": {
        *("access", "admission", "http", "rendering", "serving"),
        "addresses",
        "letters",
        "links",
        "pages",
        "public_urls",
        "templates",
    },
    "notifications": {"audiences", "channels", "pacing", "pages", "rules"},
    "intake": {
        "asgi",
        "committer",
        "endpoints",
        "http",
        "limits",
        "operations",
        "readers",
        "requests",
        "results",
        "schema",
        "serving",
    },
    "alerts": {
        "assigning",
        "decide",
        "effects",
        "endpoints",
        "matching",
        "patterns",
        "reading",
        "routing",
        "transitions",
        "updates",
        "validation",
    },
    "incidents": {
        *("actors", "kinds"),
        *(
            "attachments",
            "digest",
            "export",
            "figures",
            "imports",
            "metrics",
            "naming",
            "percentiles",
            "representation",
        ),
        *("rules", "search", "sla", "snapshot", "workflow"),
    },
    "logs": {
        *("detection", "endpoints", "normalising", "formats", "levels", "lines", "queries", "reading", "sources"),
        *("tailing", "templates"),
    },
}
LONGEST_FILE = 400


class ImportDirectionTests(SimpleTestCase):
    def test_it_lets_apps_import_only_what_is_below_them(self):
        wrong = [
            f"{path.relative_to(ROOT)} imports {module}"
            for app in apps()
            for path in sources(app)
            for module in imports(path)
            if not is_allowed(app, module) and module.split(".")[0] not in allowed_in_tests(path)
        ]

        self.assertEqual(wrong, [])

    def test_it_keeps_services_apart_from_what_calls_them(self):
        wrong = [
            f"{path.relative_to(ROOT)} imports {module}"
            for app in apps()
            for path in sources(app)
            if path.is_relative_to(ROOT / app / "services") and "tests" not in path.parts
            for module in imports(path)
            if len(parts := module.split(".")) > 1
            and parts[1] in {"endpoints", "views", "admin"}
            and parts[0] in ALLOWED
        ]

        self.assertEqual(wrong, [])

    def test_it_keeps_tests_and_builders_out_of_production_code(self):
        wrong = [
            f"{path.relative_to(ROOT)} imports {module}"
            for app in [*apps(), PROJECT]
            for path in sources(app)
            if "tests" not in path.parts
            for module in imports(path)
            if ".tests" in module or module.split(".")[0] in {"tests", "benchmarks", "e2e"}
        ]

        self.assertEqual(wrong, [])

    def test_it_sends_through_one_client(self):
        users = {
            str(path.relative_to(ROOT))
            for app in apps()
            for path in sources(app)
            if "tests" not in path.parts
            for module in imports(path)
            if module.split(".")[0] in {"httpx2", "httpcore2", "requests", "urllib3"}
            or module.startswith("urllib.request.urlopen")
        }

        # The agent of `manage.py tail` calls the server that its operator names.
        self.assertEqual(
            users - {"logs/tailing/sending.py"}, {f"core/outbound/{name}.py" for name in ("client", "network")}
        )

    def test_it_finds_imports_inside_functions(self):
        tree = "def f():\n    from incidents.models import Incident\n    import alerts.services\n"

        found = list(imports_of(ast.parse(tree)))

        self.assertEqual(found, ["incidents.models.Incident", "alerts.services"])


class FileTests(SimpleTestCase):
    def test_it_knows_every_file_of_every_app(self):
        unknown = [
            f"{app}/{path.name}"
            for app in apps()
            for path in sorted((ROOT / app).iterdir())
            if app != "integrations"
            and not path.name.startswith((".", "__pycache__"))
            and path.stem not in APP_FILES | APP_PARTS | OWN_MODULES.get(app, set())
            and path.suffix in ("", ".py")
        ]

        self.assertEqual(unknown, [])

    def test_it_keeps_files_short(self):
        long = [
            f"{path.relative_to(ROOT)}: {length} lines"
            for app in [*apps(), PROJECT]
            for path in sources(app)
            if path.name != "settings.py" and not {"migrations", "tests"} & set(path.parts)
            if (length := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
        ]

        self.assertEqual(long, [])


def apps() -> list[str]:
    return [app for app in ALLOWED if (ROOT / app / "__init__.py").is_file()]


def sources(app: str) -> list[Path]:
    return sorted((ROOT / app).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    return imports_of(ast.parse(path.read_text(encoding="utf-8")))


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in the file, with the imported name appended."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_allowed(app: str, module: str) -> bool:
    top = module.split(".")[0]
    return top != PROJECT and (top not in ALLOWED or top == app or top in ALLOWED[app] | EVERYBODYS)


def allowed_in_tests(path: Path) -> set[str]:
    return TESTS_MAY.get(path.relative_to(ROOT).parts[0], set()) if "tests" in path.parts else set()
