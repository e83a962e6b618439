"""GitHub's webhooks: what failed there, and the alerts of its scanners.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads. A workflow's failure ends when the same
workflow succeeds on the same branch; so do checks, check suites, and deployments to the same environment.
"""

from collections.abc import Callable
from typing import Any

from alerts.reading.forms import pairs
from alerts.reading.signing import check_hmac
from alerts.reading.values import first, json_object, labels, links, mapping, moment, severity, text
from alerts.updates import Action, AlertUpdate
from core.text.encodings import unmarked
from intake.requests import IntakeError, IntakeRequest, exact_json

TITLE = "GitHub"
SNIPPET = """\
Settings, Webhooks, Add webhook
Payload URL: {url}/intake/{key}/
Content type: application/json
Secret: this source's signing secret
Events: Workflow runs, Deployment statuses, Dependabot, code scanning and secret scanning alerts
"""
KEPT_HEADERS = ("x-github-event", "x-github-delivery")

_FAILED = {"failure", "timed_out", "startup_failure", "error"}
_PASSED = {"success"}
_RAISED = {
    *("created", "create", "reopened", "reopened_by_user", "auto_reopened", "reintroduced"),
    *("appeared_in_branch", "publicly_leaked"),
}
_ENDED = {"fixed", "dismissed", "dismiss", "auto_dismissed", "resolved", "resolve", "closed_by_user"}


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of an event; none for what neither raises nor ends anything."""
    body = _body(request)
    event = request.headers.get("x-github-event", "") or _guess(body)
    if event.endswith("_alert"):
        return _scanner(event, body)
    read = _READERS.get(event)
    if read is None:
        if not event:
            raise IntakeError("The X-GitHub-Event header is missing; is this GitHub's webhook?")
        return []
    return read(body)


def verify(request: IntakeRequest, secret: str) -> None:
    """Raise IntakeError (403) unless GitHub signed the body with the secret, where one is set."""
    check_hmac(request, secret, header="x-hub-signature-256", prefix="sha256=")


def delivery_id(request: IntakeRequest) -> str:
    """Return GitHub's number of the delivery, the same on redelivery."""
    return request.headers.get("x-github-delivery", "")


def greet(request: IntakeRequest) -> bool:
    """Return whether it is the ping by which GitHub tries a new webhook."""
    return request.headers.get("x-github-event", "") == "ping"


def _body(request: IntakeRequest) -> dict[str, Any]:
    body = unmarked(request.body)
    if not body.startswith(b"payload="):
        return json_object(request)
    return mapping(exact_json(pairs(body)["payload"].encode()))


def _guess(body: dict[str, Any]) -> str:
    return next((name for name in _READERS if isinstance(body.get(name), dict)), "")


def _outcome(word: Any) -> Action | None:
    said = text(word)
    return Action.FIRE if said in _FAILED else Action.RESOLVE if said in _PASSED else None


def _repository(body: dict[str, Any]) -> str:
    return text(mapping(body.get("repository")).get("full_name"))


def _branch(run: dict[str, Any], body: dict[str, Any]) -> str:
    """Return the branch, with its owner where it is a fork's: their `main` is not ours."""
    owner, branch = text(mapping(run.get("head_repository")).get("full_name")), text(run.get("head_branch"))
    return f"{owner}:{branch}" if owner and owner != _repository(body) else branch


def _workflow_run(body: dict[str, Any]) -> list[AlertUpdate]:
    run = mapping(body.get("workflow_run"))
    action = _outcome(run.get("conclusion"))
    if action is None:
        return []
    name, branch, repository = text(run.get("name")), _branch(run, body), _repository(body)
    workflow = first(run.get("workflow_id"), run.get("path"), name)
    return [
        AlertUpdate(
            title=f"{first(name, 'Workflow')} failed on {branch} of {repository}",
            action=action,
            fingerprint=f"workflow:{repository}:{workflow}:{branch}",
            description=first(run.get("display_title"), mapping(run.get("head_commit")).get("message")),
            labels=labels(repository=repository, branch=branch, workflow=name, event=run.get("event")),
            annotations=labels(commit=run.get("head_sha"), conclusion=run.get("conclusion")),
            links=links(("Run", run.get("html_url"))),
            ends_at=moment(run.get("updated_at")) if action == Action.RESOLVE else None,
        )
    ]


def _check_run(body: dict[str, Any]) -> list[AlertUpdate]:
    return _check(mapping(body.get("check_run")), mapping(mapping(body.get("check_run")).get("check_suite")), body)


def _check_suite(body: dict[str, Any]) -> list[AlertUpdate]:
    return _check(mapping(body.get("check_suite")), mapping(body.get("check_suite")), body)


def _check(check: dict[str, Any], suite: dict[str, Any], body: dict[str, Any]) -> list[AlertUpdate]:
    action = _outcome(check.get("conclusion"))
    if action is None:
        return []
    app, name = text(mapping(check.get("app")).get("slug")), text(check.get("name"))
    repository, branch = _repository(body), first(suite.get("head_branch"), check.get("head_sha"))
    return [
        AlertUpdate(
            title=f"{first(name, app, 'Checks')} failed on {branch} of {repository}",
            action=action,
            fingerprint=f"{'check' if name else 'suite'}:{repository}:{app}:{name}:{branch}",
            description=text(mapping(check.get("output")).get("summary")),
            labels=labels(repository=repository, branch=branch, check=name, app=app),
            annotations=labels(commit=check.get("head_sha"), conclusion=check.get("conclusion")),
            links=links(("Check", check.get("html_url")), ("Details", check.get("details_url"))),
            ends_at=moment(first(check.get("completed_at"), check.get("updated_at")))
            if action == Action.RESOLVE
            else None,
        )
    ]


def _deployment_status(body: dict[str, Any]) -> list[AlertUpdate]:
    status, deployment = mapping(body.get("deployment_status")), mapping(body.get("deployment"))
    action = _outcome(status.get("state"))
    if action is None:
        return []
    repository = _repository(body)
    place = first(status.get("environment"), deployment.get("environment"))
    task = text(deployment.get("task"))
    return [
        AlertUpdate(
            title=f"Deployment of {repository} to {place or 'an environment'} failed",
            action=action,
            fingerprint=f"deployment:{repository}:{task}:{place}",
            description=first(status.get("description"), deployment.get("description")),
            labels=labels(repository=repository, environment=place, task=task, ref=deployment.get("ref")),
            annotations=labels(commit=deployment.get("sha"), state=status.get("state")),
            links=links(
                ("Log", first(status.get("log_url"), status.get("target_url"))),
                ("Environment", status.get("environment_url")),
            ),
            ends_at=moment(status.get("created_at")) if action == Action.RESOLVE else None,
        )
    ]


def _scanner(event: str, body: dict[str, Any]) -> list[AlertUpdate]:
    verb, alert = text(body.get("action")), mapping(body.get("alert"))
    if not alert or verb not in _RAISED | _ENDED:
        return []
    rule, advisory = mapping(alert.get("rule")), mapping(alert.get("security_advisory"))
    word = first(advisory.get("severity"), rule.get("security_severity_level"), rule.get("severity"))
    secret = first(alert.get("secret_type_display_name"), alert.get("secret_type"))
    package = mapping(mapping(alert.get("dependency")).get("package")).get("name")
    repository = _repository(body)
    title = first(advisory.get("summary"), rule.get("description"), rule.get("name"), secret, "Alert")
    return [
        AlertUpdate(
            title=f"{title} in {repository}" if repository else title,
            action=Action.FIRE if verb in _RAISED else Action.RESOLVE,
            fingerprint=f"{event}:{repository}:{first(alert.get('number'), alert.get('id'))}",
            severity=severity(word or ("critical" if secret else "")),
            description=first(advisory.get("description"), rule.get("full_description")),
            labels=labels(repository=repository, kind=event, package=package, severity=word),
            links=links(("Alert", alert.get("html_url"))),
            note=text(alert.get("dismissed_comment")) if verb in _ENDED else "",
        )
    ]


_READERS: dict[str, Callable[[dict[str, Any]], list[AlertUpdate]]] = {
    "workflow_run": _workflow_run,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "deployment_status": _deployment_status,
}
