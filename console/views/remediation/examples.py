"""Examples of steps, one per kind, as the form of a runbook shows them."""

import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from console.forms.code import laid_out

PARAMETERS = [
    {"name": "service", "kind": "service", "label": "Service"},
    {"name": "unit", "kind": "string", "pattern": "[a-z][a-z0-9-]{0,40}", "default": "web"},
    {"name": "replicas", "kind": "integer", "minimum": 1, "maximum": 10, "default": 3},
    {"name": "mode", "kind": "choice", "choices": ["soft", "hard"], "default": "soft"},
]
HTTP = {
    "kind": "http",
    "targets": ["{service}"],
    "check": {"method": "GET", "url": "https://ops.example/services/{target}"},
    "act": {
        "method": "POST",
        "url": "https://ops.example/services/{target}/restart",
        "body": {"mode": "{mode}"},
        "expect": {"status": [202]},
    },
    "verify": {
        "method": "GET",
        "url": "https://ops.example/services/{target}",
        "expect": {"contains": "running"},
        "timeout_seconds": 120,
    },
}
AGENT = {
    "kind": "agent",
    "agent": "web-1",
    "check": {"command": "status-web", "arguments": {"unit": "{unit}.service"}},
    "act": {"command": "restart-web", "arguments": {"unit": "{unit}.service"}, "seconds": 60},
    "verify": {"command": "status-web", "arguments": {"unit": "{unit}.service"}},
}
KUBERNETES = {
    "kind": "kubernetes",
    "act": {"operation": "restart", "namespace": "shop", "name": "{unit}"},
    "roll_back": {"operation": "undo"},
}
SSM = {
    "kind": "ssm",
    "tags": {"service": "{service}"},
    "act": {"document": "RestartService", "parameters": {"unit": ["{unit}"]}, "seconds": 120},
    "verify": {"document": "CheckService", "parameters": {"unit": ["{unit}"]}},
}
STEPS = {"http": HTTP, "agent": AGENT, "kubernetes": KUBERNETES, "ssm": SSM}
EXAMPLES = [
    (name, label, laid_out(value))
    for name, label, value in (
        ("parameters", _("Parameters"), PARAMETERS),
        ("http", _("HTTP request"), HTTP),
        ("agent", _("Command by an agent"), AGENT),
        ("kubernetes", _("Kubernetes"), KUBERNETES),
        ("ssm", _("AWS SSM"), SSM),
    )
]


def with_example(name: str, *, steps: list[Any], parameters: list[Any]) -> dict[str, list[Any]]:
    """Return steps and parameters with an example, and the parameters that it fills in."""
    added = [STEPS[name]] if name in STEPS else []
    text = json.dumps(added)
    known = {one.get("name") for one in parameters if isinstance(one, dict)}
    needed = [one for one in PARAMETERS if not added or f"{{{one['name']}}}" in text]
    missing = [one for one in needed if one["name"] not in known]
    return {"steps": [*steps, *added], "parameters": [*parameters, *missing]}
