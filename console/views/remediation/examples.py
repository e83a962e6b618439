"""Examples of steps, one per kind, as the form of a runbook shows them."""

import json

from django.utils.translation import gettext_lazy as _

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
}
EXAMPLES = [
    (label, json.dumps(value, indent=2))
    for label, value in (
        (_("Parameters"), PARAMETERS),
        (_("HTTP request"), HTTP),
        (_("Command by an agent"), AGENT),
        (_("Kubernetes"), KUBERNETES),
        (_("AWS SSM"), SSM),
    )
]
