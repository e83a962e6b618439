"""Documents of AWS Systems Manager on instances, as a kind of step."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from remediation.steps.parameters import Parameter
from remediation.steps.placeholders import in_text
from remediation.steps.port import (
    Context,
    Outcome,
    OutcomeState,
    Phase,
    StepFailed,
    StepKind,
    Target,
    Targets,
    TargetsUnknown,
)
from remediation.steps.ssm import client
from remediation.steps.ssm.client import Invocation, SsmError
from remediation.steps.ssm.spec import DEFAULT_SECONDS, FIELDS, INSTANCE, REFERENCE, faults_of, parts_of

ONLINE = "Online"
PAUSE = 3.0  # seconds between looks at a command
WAY_SECONDS = 60
REQUEST_SECONDS = 120
LOOKING_BACK = dt.timedelta(days=1)
RUNNING = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
NEVER_RUN = frozenset({"DeliveryTimedOut", "Undeliverable", "InvalidPlatform", "AccessDenied"})


class SsmStep(StepKind):
    """A document on each of some managed instances."""

    kind = "ssm"
    label = "AWS SSM"
    fields = FIELDS

    def validate(self, spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
        return faults_of(spec, parameters)

    def phases(self, spec: Mapping[str, Any]) -> frozenset[Phase]:
        always = {Phase.DRY_RUN, Phase.CHECK, Phase.VERIFY}
        return frozenset(always | {phase for phase, _part in parts_of(spec)})

    def verifies(self, spec: Mapping[str, Any]) -> bool:
        """Return whether a document looks; without one, only the command's own end is known."""
        return bool(spec.get(Phase.VERIFY))

    def seconds(self, spec: Mapping[str, Any], phase: Phase) -> int:
        """Return the document's time, and that for its delivery and the result."""
        part = dict(parts_of(spec)).get(phase)
        if part is None:
            return REQUEST_SECONDS
        return int(part.get("seconds", DEFAULT_SECONDS)) + client.DELIVERY_SECONDS + WAY_SECONDS

    def why_unusable(self) -> str:
        return client.why_unusable()

    def resolve(self, spec: Mapping[str, Any], values: Mapping[str, Any]) -> Targets:
        try:
            population = len(client.instances({}))
            found = _chosen(spec, values)
            digests = {part["document"]: client.document(part["document"]).digest for _phase, part in parts_of(spec)}
        except SsmError as error:
            raise TargetsUnknown(error.message) from error
        except ValueError as error:
            raise TargetsUnknown(str(error)) from error
        targets = [
            Target("instance", f"instance {one}", {"instance": one, "documents": digests}) for one in sorted(found)
        ]
        return Targets(targets, population)

    def render(self, spec: Mapping[str, Any], values: Mapping[str, Any], target: Target) -> dict[str, Any]:
        return {str(phase): _rendered(part, values) for phase, part in parts_of(spec)}

    def perform(self, context: Context) -> Outcome:
        if context.phase in (Phase.DRY_RUN, Phase.CHECK):
            return _check(context)
        if context.phase is Phase.VERIFY and Phase.VERIFY not in context.spec:
            return _look(context, _comment(context, Phase.ACT))
        if context.phase is Phase.VERIFY and _was_sent(context):
            return _look(context, _comment(context, context.phase))
        return _send(context)

    def poll(self, context: Context) -> Outcome:
        return _look(context, _comment(context, context.phase))


def _chosen(spec: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Return the ids of the online instances that a step names. Raises SsmError, ValueError, TargetsUnknown."""
    if "instances" not in spec:
        filters = {f"tag:{name}": [in_text(text, values)] for name, text in spec["tags"].items()}
        found = [one["InstanceId"] for one in client.instances(filters) if one["PingStatus"] == ONLINE]
        if not found:
            raise TargetsUnknown("No managed instance with these tags is online.")
        return found
    ids = list(dict.fromkeys(in_text(text, values) for text in spec["instances"]))
    if wrong := [one for one in ids if not INSTANCE.fullmatch(one)]:
        raise TargetsUnknown(f"{wrong[0]} is no id of an instance.")
    online = {one["InstanceId"] for one in client.instances({"InstanceIds": ids}) if one["PingStatus"] == ONLINE}
    if missing := [one for one in ids if one not in online]:
        raise TargetsUnknown(f"The instance {missing[0]} is not managed by SSM, or not online.")
    return ids


def _rendered(part: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    if any(REFERENCE in str(value) for value in values.values()):
        raise ValueError("A value must not contain {{: SSM would fill it.")
    given = part.get("parameters", {})
    return {**part, "parameters": {name: [in_text(text, values) for text in texts] for name, texts in given.items()}}


def _comment(context: Context, phase: Phase) -> str:
    """Return what the phase's command carries, by which it is found again; the check's key is in all of them."""
    return f"{context.memory.get('mark', context.idempotency_key)} {phase}"


def _check(context: Context) -> Outcome:
    """Say whether the instance is online, and the documents are those that were approved."""
    instance, documents = context.target.details["instance"], context.target.details["documents"]
    try:
        found = client.instances({"InstanceIds": [instance]})
        present = {part["document"]: client.document(part["document"]) for part in context.spec.values()}
    except SsmError as error:
        raise StepFailed(error.message, did_nothing=True) from error
    if not found or found[0]["PingStatus"] != ONLINE:
        return Outcome(OutcomeState.FAILED, f"{context.target.name} is not online.")
    for phase, part in context.spec.items():
        document = present[part["document"]]
        if document.digest != documents.get(document.name):
            return Outcome(OutcomeState.FAILED, f"The document {document.name} has changed since it was approved.")
        if unknown := sorted(part["parameters"].keys() - document.parameters):
            text = f"{document.name} has no parameter {unknown[0]}, which {phase} gives."
            return Outcome(OutcomeState.FAILED, text)
    names = ", ".join(sorted(present))
    text = f"{context.target.name} is online, and {names} as approved. SSM has no dry run: nothing was tried."
    memory = {"mark": context.idempotency_key} if context.phase is Phase.CHECK else {}
    return Outcome(OutcomeState.DONE, text, memory)


def _was_sent(context: Context) -> bool:
    """Return whether a phase that may be asked again has sent its command. Raises StepFailed."""
    if context.memory.get("sent") == context.phase:
        return True
    try:
        since = timezone.now() - LOOKING_BACK
        return bool(client.find(context.target.details["instance"], _comment(context, context.phase), since))
    except SsmError as error:
        raise StepFailed(error.message, did_nothing=True) from error


def _send(context: Context) -> Outcome:
    """Send the phase's document once. A lost answer is looked for, never sent again."""
    part, details = context.spec[context.phase], context.target.details
    memory = {"sent": str(context.phase)}
    try:
        command = client.send(
            details["instance"],
            part["document"],
            details["documents"][part["document"]],
            part["parameters"],
            comment=_comment(context, context.phase),
            seconds=part.get("seconds", DEFAULT_SECONDS),
        )
    except SsmError as error:
        if not error.may_have_arrived:
            raise StepFailed(error.message, did_nothing=True) from error
        return Outcome(OutcomeState.WAIT, f"{error.message} Looking for the command.", memory, PAUSE)
    text = f"{part['document']} was sent to {context.target.name}."
    return Outcome(OutcomeState.WAIT, text, {**memory, f"command {context.phase}": command}, PAUSE)


def _look(context: Context, comment: str) -> Outcome:
    """Say what became of the command with a comment. Raises StepFailed if it never ran."""
    instance = context.target.details["instance"]
    word = f"command {comment.rpartition(' ')[2]}"
    try:
        command = context.memory.get(word) or client.find(instance, comment, timezone.now() - LOOKING_BACK)
        found = client.invocation(command, instance) if command else None
    except SsmError as error:
        return Outcome(OutcomeState.WAIT, error.message, pause=PAUSE)
    if found is None:
        text = f"{context.target.name}: the command is not there yet."
        return Outcome(OutcomeState.WAIT, text, {word: command} if command else {}, PAUSE)
    return _outcome_of(context, found, {word: command})


def _outcome_of(context: Context, found: Invocation, memory: Mapping[str, Any]) -> Outcome:
    text = f"{context.target.name}: {found.details or found.status}.\n{found.output}".rstrip()
    if found.status in RUNNING:
        return Outcome(OutcomeState.WAIT, text, memory, PAUSE)
    if found.status == "Success":
        return Outcome(OutcomeState.DONE, text, memory)
    if found.details in NEVER_RUN:
        raise StepFailed(text, did_nothing=True)
    return Outcome(OutcomeState.FAILED, text, memory)
