"""A request to another system: `{kind: http, targets?, secret?, check?, dry_run?, act, verify?, roll_back?}`.

Each phase is `{method, url, headers?, body?, expect?: {status?, contains?}, timeout_seconds?}`; all but act and
roll_back only read. Placeholders stand in the path and the query of `url`, in texts of `body`, in headers and in
`targets`; `{target}` is the target's name.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from core.outbound.client import Answer, Client, Refused, Unreachable
from core.outbound.urls import validate_url
from remediation.models import RunbookSecret
from remediation.steps import placeholders
from remediation.steps.outputs import cleaned
from remediation.steps.parameters import Parameter
from remediation.steps.port import (
    ACTING,
    Context,
    Outcome,
    OutcomeState,
    Phase,
    StepFailed,
    StepKind,
    Target,
    Targets,
)
from remediation.steps.schemas import (
    ANYTHING,
    Shape,
    faults_of_names,
    listed,
    or_null,
    record,
    table,
    text,
    whole,
    word,
)
from users.sealing import unseal

METHODS = {True: ("POST", "PUT", "PATCH", "DELETE", "GET"), False: ("GET", "HEAD")}
CALL_SECONDS = 30.0  # one request; the engine's lease is longer
MOST_SECONDS = 3600
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key", "user-agent"})
CONNECTING = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})  # nothing was sent
MAX_TARGETS = 50
MAX_TARGET, MAX_URL, MAX_HEADERS, MAX_HEADER = 200, 2000, 20, 500
VERIFY_PAUSE = 3.0
# answers after which nobody knows whether it was done
UNCLEAR = frozenset({408, 409, 425})
LEAST_STATUS, MOST_STATUS = 100, 599
EXPECTATION: dict[str, Shape] = {
    "status": listed(whole(LEAST_STATUS, MOST_STATUS)),
    "contains": {"type": "string", "minLength": 1},
}
REQUEST: dict[str, Shape] = {
    "method": word(*METHODS[True]),
    "url": text(MAX_URL),
    "headers": table(text(MAX_HEADER, least=0), MAX_HEADERS),
    "expect": record(EXPECTATION),
    "timeout_seconds": whole(1, MOST_SECONDS),
    "body": ANYTHING,
}
READ = {name: shape for name, shape in REQUEST.items() if name != "body"} | {"method": word(*METHODS[False])}


class HttpStep(StepKind):
    """A request to another system."""

    kind = "http"
    label = gettext_lazy("HTTP request")
    fields = {
        "targets": or_null(listed(text(MAX_TARGET), MAX_TARGETS)),
        "secret": {"type": "string"},
        **{phase: record(READ, ["url"]) for phase in Phase},
        **{phase: record(REQUEST, ["method", "url"]) for phase in ACTING},
    }
    tells_population = False

    def validate(self, spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
        known = frozenset({parameter.name for parameter in parameters})
        found = faults_of_names(spec, self.fields)
        if Phase.ACT not in spec:
            found[Phase.ACT] = _("This is required.")
        if Phase.VERIFY not in spec:
            found[Phase.VERIFY] = _("Add a request (GET or HEAD) whose answer shows whether act worked.")
        for phase in Phase:
            if phase in spec:
                faults = _faults_of_request(spec[phase], known | {"target"}, is_acting=phase in ACTING)
                found.update({f"{phase}.{place}".rstrip("."): text for place, text in faults.items()})
        if fault := _fault_of_targets(spec.get("targets"), known):
            found["targets"] = fault
        if "secret" in spec and not RunbookSecret.objects.filter(name=str(spec["secret"])).exists():
            found["secret"] = _("There is no secret %(name)s.") % {"name": spec["secret"]}
        return found

    def phases(self, spec: Mapping[str, Any]) -> frozenset[Phase]:
        return frozenset(phase for phase in Phase if phase in spec)

    def resolve(self, spec: Mapping[str, Any], values: Mapping[str, Any]) -> Targets:
        if names := spec.get("targets"):
            filled = dict.fromkeys(placeholders.in_text(name, values) for name in names)
            return Targets([Target(self.kind, name) for name in filled])
        address = urlsplit(placeholders.in_url(spec[Phase.ACT]["url"], {**values, "target": ""}))
        return Targets([Target(self.kind, f"{address.scheme}://{address.netloc}{address.path}"[:500])])

    def render(self, spec: Mapping[str, Any], values: Mapping[str, Any], target: Target) -> dict[str, Any]:
        filled = {**values, "target": target.name}
        return {name: _rendered(one, filled) if name in set(Phase) else one for name, one in spec.items()}

    def perform(self, context: Context) -> Outcome:
        request = context.spec[context.phase]
        headers = {**request.get("headers", {}), "Idempotency-Key": context.idempotency_key}
        secrets = _credential(context.spec.get("secret"), request["url"], headers)
        content = None
        if "body" in request:
            content = json.dumps(request["body"], ensure_ascii=False).encode()
            headers.setdefault("Content-Type", "application/json")
        answer = _sent(context, request, headers, content)
        text = answer.content.decode("utf-8", "replace")
        output = cleaned(f"{answer.status}\n{text}".strip(), secrets)
        return _judged(context, request, answer, text, output)


def _faults_of_request(request: Any, known: frozenset[str], *, is_acting: bool) -> dict[str, str]:
    if not isinstance(request, Mapping):
        return {"": _("Must be an object with method and url.")}
    found = {str(name): _("A request has no such field.") for name in request.keys() - REQUEST}
    methods = METHODS[is_acting]
    if request.get("method", "GET") not in methods or (is_acting and "method" not in request):
        found["method"] = _("Must be one of %(words)s.") % {"words": ", ".join(methods)}
    if fault := _fault_of_url(request.get("url"), known):
        found["url"] = fault
    if fault := _fault_of_headers(request.get("headers", {}), known):
        found["headers"] = fault
    if fault := placeholders.fault_of(request.get("body"), known):
        found["body"] = fault
    if not is_acting and "body" in request:
        found["body"] = _("Only act and roll_back have a body.")
    if fault := _fault_of_expectation(request.get("expect", {})):
        found["expect"] = fault
    seconds = request.get("timeout_seconds", 1)
    if type(seconds) is not int or not 1 <= seconds <= MOST_SECONDS:
        found["timeout_seconds"] = _("Must be a whole number from %(least)d to %(most)d.") % {
            "least": 1,
            "most": MOST_SECONDS,
        }
    return found


def _fault_of_url(url: Any, known: frozenset[str]) -> str:
    if not isinstance(url, str) or len(url) > MAX_URL:
        return _("Must be an address.")
    if fault := placeholders.fault_of(url, known):
        return fault
    try:
        address = urlsplit(url)
        plain = placeholders.in_url(url, dict.fromkeys(known, "x"))
        if not is_ours(plain):
            validate_url(plain)
    except DomainError as error:
        return error.message
    except ValueError:
        return _("Must be an address.")
    if "{" in address.scheme + address.netloc or "{" in address.fragment or address.username is not None:
        return _("Placeholders stand in the path and the query of an address only, and credentials in a secret.")
    return ""


def _fault_of_headers(headers: Any, known: frozenset[str]) -> str:
    if not isinstance(headers, Mapping) or len(headers) > MAX_HEADERS:
        return _("Must be an object of texts.")
    for name, value in headers.items():
        if not isinstance(name, str) or not HEADER.fullmatch(name) or name.lower() in OURS:
            return _("%(name)s is no header that can be set.") % {"name": name}
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > MAX_HEADER:
            return _("%(name)s must be a text of printable ASCII characters.") % {"name": name}
        if name.lower() in ("authorization", "cookie", "x-api-key"):
            return _("Keep credentials in a secret.")
    return placeholders.fault_of(list(headers.values()), known)


def _fault_of_expectation(expect: Any) -> str:
    if not isinstance(expect, Mapping) or expect.keys() - EXPECTATION:
        return _("Must be an object of status and contains.")
    status = expect.get("status", [200])
    if (
        not isinstance(status, list)
        or not status
        or not all(type(one) is int and LEAST_STATUS <= one <= MOST_STATUS for one in status)
    ):
        return _("status must be a list of status codes.")
    contains = expect.get("contains", "x")
    return "" if isinstance(contains, str) and contains else _("contains must be a text.")


def _fault_of_targets(targets: Any, known: frozenset[str]) -> str:
    if targets is None:
        return ""
    is_list = isinstance(targets, list) and 0 < len(targets) <= MAX_TARGETS
    if not is_list or not all(isinstance(one, str) and 0 < len(one) <= MAX_TARGET for one in targets):
        return _("Give 1 to %(number)d texts.") % {"number": MAX_TARGETS}
    return placeholders.fault_of(targets, known)


def _rendered(request: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    filled = {**request, "url": placeholders.in_url(request["url"], values)}
    if "body" in request:
        filled["body"] = placeholders.in_json(request["body"], values)
    if "headers" in request:
        filled["headers"] = {name: _header(one, values) for name, one in request["headers"].items()}
    return filled


def _header(text: str, values: Mapping[str, Any]) -> str:
    filled = placeholders.in_text(text, values)
    if not filled.isascii() or not filled.isprintable():
        raise ValueError(_("A header takes printable ASCII characters only."))
    return filled


def _credential(name: str | None, url: str, headers: dict[str, str]) -> list[str]:
    """Add the secret's header, if the address is below the secret's; return what outputs must not show."""
    if name is None:
        return []
    secret = RunbookSecret.objects.filter(name=name).first()
    if secret is None:
        raise StepFailed(f"There is no secret {name}.", did_nothing=True)
    if not is_below(url, secret.url_prefix):
        raise StepFailed(f"The secret {name} is not for this address.", did_nothing=True)
    value = unseal(secret.sealed)
    headers[secret.header] = value
    return [value, *value.split()]


def is_below(url: str, prefix: str) -> bool:
    """Return whether an address has the origin of another, and its path or one below."""
    one, other = urlsplit(url), urlsplit(prefix)
    if (one.scheme, one.hostname, one.port) != (other.scheme, other.hostname, other.port):
        return False
    base = other.path if other.path.endswith("/") else f"{other.path}/"
    return one.path == other.path or one.path.startswith(base)


def is_ours(url: str) -> bool:
    """Return whether an address is of this server itself, which the operator set and which may be on this machine."""
    return is_below(url, settings.PUBLIC_URL)


def _sent(context: Context, request: Mapping[str, Any], headers: Mapping[str, str], content: bytes | None) -> Answer:
    seconds = max(1.0, min(CALL_SECONDS, context.seconds_left))
    # one attempt: whoever repeats an act may do it twice
    limits: dict[str, Any] = {"step_seconds": seconds, "total_seconds": seconds, "attempts": 1, "cuts_answer": True}
    client = Client(is_trusted=is_ours(request["url"]), **limits)
    try:
        return client.request(request.get("method", "GET"), request["url"], headers=headers, content=content)
    except Refused as error:
        raise StepFailed(f"Not sent: {error}.", did_nothing=True) from error
    except Unreachable as error:
        raise StepFailed(f"No answer: {error}.", did_nothing=str(error) in CONNECTING) from error


def _judged(context: Context, request: Mapping[str, Any], answer: Answer, text: str, output: str) -> Outcome:
    """Hold an answer against what is expected; a verification is repeated until its time is over."""
    expect = request.get("expect", {})
    is_status = answer.status in expect["status"] if "status" in expect else 200 <= answer.status < 300
    is_text = expect.get("contains", "") in text
    if is_status and is_text:
        return Outcome(OutcomeState.DONE, output)
    if context.phase == Phase.VERIFY:
        return Outcome(OutcomeState.WAIT, output, pause=VERIFY_PAUSE)
    if context.phase in ACTING and not is_status:
        is_refused = 400 <= answer.status < 500 and answer.status not in UNCLEAR
        raise StepFailed(output, did_nothing=is_refused)
    return Outcome(OutcomeState.FAILED, output)
