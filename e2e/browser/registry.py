"""Every page there is: taken from the addresses themselves, so that none is forgotten."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver, reverse

NAMESPACE = "console"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
Sample = Callable[[], dict[str, Any]]


def _first(name: str, key: str = "pk", field: str = "pk", **where: Any) -> Sample:
    """Return a sample that takes the first of the demo's rows of a model, told as `app.Model`."""

    def sample() -> dict[str, Any]:
        row = apps.get_model(name)._default_manager.filter(**where).order_by("pk").first()
        assert row is not None, f"the demo has no {name} {where or ''}"
        return {key: getattr(row, field)}

    return sample


# What stands in an address wherever a parameter of this name does.
EVERYWHERE = {"reference": "INC-1"}
ON_CALL = ("schedule", "calendar-address", "override", "swap-offer", "layers", "schedule-settings", "handover-note")


def _note() -> dict[str, Any]:
    row = apps.get_model("responders.HandoverNote")._default_manager.order_by("pk").first()
    assert row is not None, "the demo has no hand-over note"
    return {"pk": row.schedule_id, "note": row.pk}


def _with_run() -> dict[str, Any]:
    row = apps.get_model("remediation.Run")._default_manager.order_by("pk").first()
    assert row is not None, "the demo has no run"
    return {"reference": f"INC-{row.incident_id}"}


def _review() -> dict[str, Any]:
    return _first("reviews.Review", state="draft")()


def _part(name: str) -> Sample:
    """Return a sample of something that belongs to a review that may be edited."""

    def sample() -> dict[str, Any]:
        review = _review()["pk"]
        return {"pk": review, **_first(name, "number", review=review)()}

    return sample


REVIEW_PAGES = ("", "-timeline", "-moment-add", "-factor-add", "-participant-add", "-delete")
# What stands in an address, by the route's name. What only takes POST needs no line: it answers 405.
SAMPLES: dict[str, Sample] = {
    **dict.fromkeys((f"console:{name}" for name in ON_CALL), _first("responders.Schedule")),
    **dict.fromkeys(("console:policy", "console:policy-edit"), _first("responders.EscalationPolicy")),
    "console:handover-note-edit": _note,
    **dict.fromkeys((f"console:source{part}" for part in ("", "-edit", "-setup", "-waiting")), _first("intake.Source")),
    "console:alert": _first("alerts.Alert", "alert_id"),
    "console:detection-rule": _first("logs.DetectionRule"),
    "console:heartbeat": _first("alerts.Heartbeat"),
    "console:intake-event": _first("intake.IntakeEvent"),
    "console:log-line": _first("logs.LogEntry"),
    "console:incident-move": lambda: {"reference": "INC-1", "name": "reopen"},
    "console:incident-change": lambda: {"reference": "INC-1", "group": "details"},
    "console:report-sent": lambda: {"reference": "INC-1"},
    "console:incident-redact": lambda: {"reference": "INC-1", "number": 1},
    "console:route": _first("alerts.Route"),
    "console:report-rule": _first("incidents.ReportRule"),
    **dict.fromkeys((f"console:review{part}" for part in REVIEW_PAGES), _review),
    "console:review-edit": lambda: {**_review(), "section": "public"},
    **{f"console:review-{kind}": _part(f"reviews.{kind.title()}") for kind in ("moment", "factor", "participant")},
    "console:action-item-add": _review,
    "console:action-item": _first("reviews.ActionItem", state="open"),
    "console:review-rule": _first("reviews.ReviewRule"),
    "console:silence": _first("alerts.Silence"),
    "console:silence-edit": _first("alerts.Silence"),
    **dict.fromkeys(
        (f"console:status-{name}" for name in ("announcement", "update", "edit")), _first("status_page.PublicIncident")
    ),
    "console:status-move": _first("status_page.PublicIncident", kind="maintenance"),
    "console:status-component": _first("status_page.Component"),
    "console:status-group": _first("status_page.ComponentGroup"),
    "console:status-template": _first("status_page.UpdateTemplate"),
    "console:status-correct": _first("status_page.PublicUpdate"),
    "console:run": _first("remediation.Run"),
    "console:run-new": _with_run,
    "console:run-decide": lambda: {**_first("remediation.Run")(), "what": "approve"},
    **dict.fromkeys(("console:runbook", "console:runbook-edit"), _first("remediation.Runbook")),
    "console:freeze": _first("remediation.FreezeWindow"),
    **dict.fromkeys((f"console:agent{part}" for part in ("", "-edit", "-heard")), _first("remediation.Agent")),
    "console:runbook-secret": _first("remediation.RunbookSecret"),
    "console:settings-rule": lambda: {"importance": "high"},
}
# What pages are asked for that lead elsewhere without it.
QUERIES = {
    "console:run-new": "runbook=1",
    "console:reviews": "state=draft,in_review",
    "console:action-items": "overdue=true",
}
# Pages of ours beside the namespace's.
OTHERS = ("forgotten-password", "reset-password", "invitation", "verify-email-page")
# Routes that show no page, and why.
EXEMPT: dict[str, str] = {
    "console:dashboard-csv": "sends a file",
    "console:status-logo-picture": "sends a picture",
    "console:agent-file": "sends a file",
    **dict.fromkeys(("console:action-items-csv", "console:review-markdown", "console:review-pdf"), "sends a file"),
    "console:oidc": "leads to an identity provider",
    "console:oidc-callback": "leads on from an identity provider",
    "console:incident-file": "sends a file",
    "console:report-same": "takes POST only",
    "console:report-similar": "is a part of the report page",
    **dict.fromkeys(("console:report-token", "console:manifest", "console:service-worker"), "is read by programs"),
    "console:incident-file-remove": "asks to confirm, as incident-delete does",
}


@dataclass(frozen=True)
class Route:
    """An address of the pages."""

    name: str
    parameters: tuple[str, ...]

    def address(self) -> str:
        """Return the address with a sample in the place of each parameter; 1, where there is none."""
        sample = SAMPLES.get(self.name, lambda: {name: EVERYWHERE.get(name, 1) for name in self.parameters})
        query = f"?{QUERIES[self.name]}" if self.name in QUERIES else ""
        return reverse(self.name, kwargs=sample() if self.parameters else None) + query

    @property
    def is_told(self) -> bool:
        """Return whether it is known what stands in its address."""
        return self.name in SAMPLES or set(self.parameters) <= set(EVERYWHERE)

    def any_address(self) -> str:
        """Return an address of this form, of nothing that there is."""
        return reverse(self.name, kwargs=dict.fromkeys(self.parameters, 1) if self.parameters else None)


def routes() -> list[Route]:
    """Return those that are not exempt."""
    return [route for route in every_route() if route.name not in EXEMPT]


def every_route() -> list[Route]:
    """Return all routes of the namespace."""
    [resolver] = [found for found in get_resolver().url_patterns if getattr(found, "namespace", None) == NAMESPACE]
    return [*dict.fromkeys(_routes(resolver, ())), *(Route(name, ()) for name in OTHERS)]


def _routes(resolver: URLResolver, above: tuple[str, ...]) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        parameters = (*above, *PARAMETER.findall(str(entry.pattern)))
        if isinstance(entry, URLPattern):
            yield Route(f"{NAMESPACE}:{entry.name}", parameters)
        else:
            yield from _routes(entry, parameters)
