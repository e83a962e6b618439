"""What runbooks do to workloads: each operation as the one PATCH it sends, or why it must not be sent. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from remediation.steps.kubernetes import rollouts
from remediation.steps.kubernetes.client import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from remediation.steps.kubernetes.rollouts import Object, Progress

RESOURCES = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets"}


@dataclass(frozen=True)
class Plan:
    """A PATCH, below the workload's path; `is_applied`: it has taken effect already."""

    change: Any
    media: str
    text: str
    subresource: str = ""
    is_applied: bool = False
    memory: Mapping[str, Any] = field(default_factory=dict)


class NotNow(Exception):
    """The workload's state forbids it; the message says why."""


def check_state(resource: str, workload: Object, *, least_available: int, may_roll: bool) -> None:
    """Raise NotNow for a workload that is paused, being rolled out, or has too few replicas."""
    if workload["spec"].get("paused"):
        raise NotNow("its rollouts are paused")
    if workload["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
        raise NotNow("its update strategy is OnDelete: a change would restart nothing")
    rollout = rollouts.rollout_of(resource, workload)
    if rollout.progress is Progress.ROLLING and not may_roll:
        raise NotNow(f"a rollout is in progress: {rollout.text}")
    available = rollouts.available_of(resource, workload)
    if available < least_available:
        raise NotNow(f"{available} replicas are available, and the runbook asks for {least_available}")


def restart(workload: Object, mark: str) -> Plan:
    """Plan a rollout restart: an annotation of the template whose value names the step."""
    annotations = workload["spec"]["template"].get("metadata", {}).get("annotations") or {}
    return Plan(
        change={
            "metadata": {"resourceVersion": workload["metadata"]["resourceVersion"]},
            "spec": {"template": {"metadata": {"annotations": {rollouts.RESTARTED: mark}}}},
        },
        media=STRATEGIC_PATCH,
        text="restarts its pods, a few at a time",
        is_applied=annotations.get(rollouts.RESTARTED) == mark,
        memory={"revision": rollouts.revision_of(workload)},
    )


def scale(workload: Object, replicas: int, budgets: Sequence[Object], *, may_be_zero: bool) -> Plan:
    """Plan another number of replicas. Raises NotNow below what the runbook or a disruption budget allows."""
    before = workload["spec"].get("replicas", 1)
    if replicas == 0 and not may_be_zero:
        raise NotNow("the runbook does not allow zero replicas")
    floor = rollouts.floor_of(workload, budgets)
    if replicas < before and replicas < floor:
        raise NotNow(f"a disruption budget asks for {floor} replicas")
    return Plan(
        change={
            "metadata": {"resourceVersion": workload["metadata"]["resourceVersion"]},
            "spec": {"replicas": replicas},
        },
        media=MERGE_PATCH,
        text=f"scales from {before} to {replicas} replicas",
        subresource="/scale",
        is_applied=before == replicas,
        memory={"replicas": before},
    )


def go_to(workload: Object, replica_set: Object) -> Plan:
    """Plan a return to the template of an earlier ReplicaSet."""
    template = rollouts.template_of(replica_set)
    version = workload["metadata"]["resourceVersion"]
    return Plan(
        change=[
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "replace", "path": "/spec/template", "value": template},
        ],
        media=JSON_PATCH,
        text=f"goes back to revision {rollouts.revision_of(replica_set)} ({rollouts.images_of(template)})",
        is_applied=_is_same(workload["spec"]["template"], template),
    )


def undo(workload: Object, replica_sets: Sequence[Object], chosen: str) -> Plan:
    """Plan a return to the previous revision, or to the ReplicaSet chosen before. Raises NotNow without one."""
    own = rollouts.owned_by(workload, replica_sets)
    current = rollouts.revision_of(workload)
    if chosen:
        found = next((one for one in own if one["metadata"]["name"] == chosen), None)
    else:
        found = rollouts.previous_of(workload, replica_sets)
    if found is None:
        raise NotNow("there is no earlier revision to go back to")
    present = next((one["metadata"]["name"] for one in own if rollouts.revision_of(one) == current), "")
    plan = go_to(workload, found)
    memory = {"replica_set": found["metadata"]["name"], "replica_set_before": present}
    return Plan(plan.change, plan.media, plan.text, is_applied=plan.is_applied, memory=memory)


def _is_same(template: Object, other: Object) -> bool:
    """Compare without what the server writes as null or leaves out."""
    return bool(_plain(template) == _plain(other))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        plain = {name: _plain(one) for name, one in value.items()}
        return {name: one for name, one in plain.items() if one is not None and one != {} and one != []}
    return [_plain(one) for one in value] if isinstance(value, list) else value
