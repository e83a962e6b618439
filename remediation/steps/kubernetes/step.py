"""Restart, scale and undo of Kubernetes workloads, as a kind of step."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from remediation.steps.kubernetes import client, operations, rollouts
from remediation.steps.kubernetes.client import ClusterError, Place
from remediation.steps.kubernetes.operations import RESOURCES, NotNow, Plan
from remediation.steps.kubernetes.rollouts import Object, Progress
from remediation.steps.kubernetes.spec import FIELDS, fault_of_rendered, faults_of, labels_of
from remediation.steps.parameters import Parameter
from remediation.steps.placeholders import in_json, in_text
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

ATTEMPTS = 3
TRYING_SECONDS = 40.0  # less than the engine's lease
CONFLICT = 409
ROLLOUT_SECONDS = 600
REQUEST_SECONDS = 180  # of a few that may each take twenty
PAUSE = 2.0  # seconds between looks at a rollout


class KubernetesStep(StepKind):
    """One operation on each workload of a namespace that has a name or labels."""

    kind = "kubernetes"
    label = "Kubernetes"
    fields = FIELDS
    required = (Phase.ACT,)

    def validate(self, spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
        return faults_of(spec, parameters)

    def phases(self, spec: Mapping[str, Any]) -> frozenset[Phase]:
        always = {Phase.CHECK, Phase.DRY_RUN, Phase.ACT, Phase.VERIFY}
        return frozenset(always | {Phase.ROLL_BACK} if spec.get("roll_back") else always)

    def seconds(self, spec: Mapping[str, Any], phase: Phase) -> int:
        """Return how long a rollout may take; other phases are a few requests."""
        is_long = phase in (Phase.VERIFY, Phase.ROLL_BACK)
        given = int((spec.get("verify") or {}).get("timeout_seconds", ROLLOUT_SECONDS))
        return given if is_long else REQUEST_SECONDS

    def why_unusable(self) -> str:
        return client.why_unusable()

    def resolve(self, spec: Mapping[str, Any], values: Mapping[str, Any]) -> Targets:
        act = _rendered(spec["act"], values)
        if fault := fault_of_rendered(act):
            raise TargetsUnknown(fault)
        word, namespace = act.get("resource", "deployment"), act["namespace"]
        try:
            present = list(client.names(RESOURCES[word], namespace))
        except ClusterError as error:
            raise TargetsUnknown(error.message) from error
        labels = labels_of(act["selector"]) if "selector" in act else {}
        chosen = [one for one in present if _is_chosen(one, act.get("name"), labels)]
        if not chosen:
            raise TargetsUnknown(f"There is no such {word} in the namespace {namespace}.")
        return Targets([_target(word, one) for one in chosen], len(present))

    def render(self, spec: Mapping[str, Any], values: Mapping[str, Any], target: Target) -> dict[str, Any]:
        rendered = {**spec, "act": _rendered(spec["act"], values)}
        if fault := fault_of_rendered(rendered["act"]):
            raise ValueError(fault)
        return rendered

    def perform(self, context: Context) -> Outcome:
        return _PHASES[context.phase](context)

    def poll(self, context: Context) -> Outcome:
        return _look(context)


def _rendered(act: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fill an act: names are texts, a number of replicas is a number."""
    texts = {name: in_text(act[name], values) for name in ("namespace", "name", "selector") if name in act}
    return {**in_json(act, values), **texts}


def _is_chosen(metadata: Object, name: str | None, labels: Mapping[str, str]) -> bool:
    if name is not None:
        return bool(metadata["name"] == name)
    return labels.items() <= (metadata.get("labels") or {}).items()


def _target(word: str, metadata: Object) -> Target:
    namespace, name = metadata["namespace"], metadata["name"]
    details = {"namespace": namespace, "name": name, "uid": metadata["uid"]}
    return Target(word, f"{word} {namespace}/{name}", details)


def _place(context: Context) -> Place:
    details = context.target.details
    return Place(RESOURCES[context.target.kind], details["namespace"], details["name"])


def _read(context: Context) -> Object:
    """Return the workload that was approved. Raises NotNow if another has its name."""
    workload = client.get(_place(context))
    if workload["metadata"]["uid"] != context.target.details["uid"]:
        raise NotNow("it was deleted and made anew since it was resolved")
    return workload


# --- The phases -------------------------------------------------------------------------------------------------------


def _check(context: Context) -> Outcome:
    place = _place(context)
    try:
        workload = _read(context)
        plan = _plan(context, workload)
        operations.check_state(
            place.resource,
            workload,
            least_available=int((context.spec.get("check") or {}).get("min_available", 0)),
            may_roll=context.spec["act"]["operation"] == "undo",
        )
    except NotNow as error:
        return Outcome(OutcomeState.FAILED, f"{context.target.name}: {error}.")
    except ClusterError as error:
        raise StepFailed(error.message, did_nothing=True) from error
    rollout = rollouts.rollout_of(place.resource, workload)
    memory = {**plan.memory, "generation": workload["metadata"]["generation"], "mark": context.idempotency_key}
    return Outcome(OutcomeState.DONE, f"{context.target.name}: {rollout.text}; the step {plan.text}.", memory)


def _dry_run(context: Context) -> Outcome:
    try:
        plan = _plan(context, _read(context))
        if not plan.is_applied:
            client.patch(_place(context).path + plan.subresource, plan.change, plan.media, is_dry=True)
    except NotNow as error:
        return Outcome(OutcomeState.FAILED, f"{context.target.name}: {error}.")
    except ClusterError as error:
        raise StepFailed(error.message, did_nothing=True) from error
    return Outcome(OutcomeState.DONE, f"{context.target.name}: the cluster accepts it; the step {plan.text}.")


def _act(context: Context) -> Outcome:
    plan = _apply(context, lambda workload: _unchanged(context, workload))
    return Outcome(OutcomeState.DONE, f"{context.target.name}: {plan.text}.")


def _unchanged(context: Context, workload: Object) -> Plan:
    plan = _plan(context, workload)
    checked = context.memory.get("generation")
    if not plan.is_applied and checked is not None and workload["metadata"]["generation"] != checked:
        raise NotNow("it was changed since it was checked")
    return plan


def _verify(context: Context) -> Outcome:
    try:
        workload = _read(context)
        if not _plan(context, workload).is_applied:
            return Outcome(OutcomeState.FAILED, f"{context.target.name}: the change is not there, or not any more.")
    except NotNow as error:
        return Outcome(OutcomeState.FAILED, f"{context.target.name}: {error}.")
    except ClusterError as error:
        return _look_again(error)
    return _outcome_of(context, workload)


def _roll_back(context: Context) -> Outcome:
    plan = _apply(context, lambda workload: _return(context, workload))
    return Outcome(OutcomeState.WAIT, f"{context.target.name}: {plan.text}.", pause=PAUSE)


def _return(context: Context, workload: Object) -> Plan:
    """Plan the way back to what the check found."""
    if context.spec["act"]["operation"] == "scale":
        before = context.memory.get("replicas")
        if before is None:
            raise NotNow("nobody knows how many replicas there were")
        return operations.scale(workload, before, [], may_be_zero=True)
    return operations.undo(workload, _replica_sets(context, workload), context.memory.get("replica_set_before", ""))


def _look(context: Context) -> Outcome:
    try:
        return _outcome_of(context, client.get(_place(context)))
    except ClusterError as error:
        return _look_again(error)


def _outcome_of(context: Context, workload: Object) -> Outcome:
    rollout = rollouts.rollout_of(_place(context).resource, workload)
    states = {Progress.DONE: OutcomeState.DONE, Progress.FAILED: OutcomeState.FAILED}
    state = states.get(rollout.progress, OutcomeState.WAIT)
    return Outcome(state, f"{context.target.name}: {rollout.text}.", pause=PAUSE)


def _look_again(error: ClusterError) -> Outcome:
    """Wait while the cluster does not answer: looking changes nothing."""
    if not error.may_have_arrived and error.status != 429:
        raise StepFailed(error.message, did_nothing=False) from error
    return Outcome(OutcomeState.WAIT, error.message, pause=PAUSE)


_PHASES: dict[Phase, Callable[[Context], Outcome]] = {
    Phase.CHECK: _check,
    Phase.DRY_RUN: _dry_run,
    Phase.ACT: _act,
    Phase.VERIFY: _verify,
    Phase.ROLL_BACK: _roll_back,
}


# --- Plans, and sending them ------------------------------------------------------------------------------------------


def _plan(context: Context, workload: Object) -> Plan:
    """Return what the step sends now. Raises NotNow, ClusterError."""
    act = context.spec["act"]
    if act["operation"] == "restart":
        # the check's key, so that verifying knows it too
        plan = operations.restart(workload, context.memory.get("mark", context.idempotency_key))
        if context.phase is Phase.CHECK and context.spec.get("roll_back"):
            own = rollouts.owned_by(workload, _replica_sets(context, workload))
            present = [one for one in own if rollouts.revision_of(one) == rollouts.revision_of(workload)]
            before = present[0]["metadata"]["name"] if present else ""
            return Plan(plan.change, plan.media, plan.text, memory={"replica_set_before": before})
        return plan
    if act["operation"] == "scale":
        path = client.collection("poddisruptionbudgets", context.target.details["namespace"], "policy")
        is_down = act["replicas"] < workload["spec"].get("replicas", 1)
        budgets = client.items(path) if is_down else []
        return operations.scale(workload, act["replicas"], budgets, may_be_zero=bool(act.get("may_be_zero")))
    return operations.undo(workload, _replica_sets(context, workload), context.memory.get("replica_set", ""))


def _replica_sets(context: Context, workload: Object) -> list[Object]:
    labels = workload["spec"]["selector"].get("matchLabels", {})
    selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return list(client.items(client.collection("replicasets", context.target.details["namespace"]), selector))


def _apply(context: Context, plan_for: Callable[[Object], Plan]) -> Plan:
    """Send a plan until it has taken effect, and return it. Raises StepFailed.

    Each PATCH names the version it was planned on, and the same plan twice has the effect of once: after a lost answer
    the next attempt either finds it applied, or sends what the first can no longer do.
    """
    is_lost, said = False, ""
    ends = time.monotonic() + TRYING_SECONDS
    for _attempt in range(ATTEMPTS):
        plan = None
        try:
            plan = plan_for(_read(context))
            if plan.is_applied:
                return plan
            client.patch(_place(context).path + plan.subresource, plan.change, plan.media)
        except NotNow as error:
            raise StepFailed(f"{context.target.name}: {error}.", did_nothing=not is_lost) from error
        except ClusterError as error:
            # only what was sent can be lost, not what was read
            is_lost, said = is_lost or (plan is not None and error.may_have_arrived), error.message
            if time.monotonic() > ends or not (error.may_have_arrived or error.status == CONFLICT):
                break
        else:
            return plan
    raise StepFailed(said, did_nothing=not is_lost)
