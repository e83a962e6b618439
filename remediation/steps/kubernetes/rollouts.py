"""What workloads say of themselves: how far a rollout is, and what was there before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Object = Mapping[str, Any]

REVISION = "deployment.kubernetes.io/revision"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
HASH = "pod-template-hash"


class Progress(StrEnum):
    DONE = "done"
    UNAVAILABLE = "unavailable"  # the pods are all new, but not all available
    ROLLING = "rolling"
    FAILED = "failed"


@dataclass(frozen=True)
class Rollout:
    """How far a rollout is, and how to say it."""

    progress: Progress
    text: str


def rollout_of(resource: str, workload: Object) -> Rollout:
    """Return how far a workload's latest rollout is, by the rules of `kubectl rollout status`."""
    status = workload.get("status", {})
    if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return Rollout(Progress.ROLLING, "the controller has not seen the change yet")
    return _RULES[resource](workload["spec"], status)


def _deployment(spec: Object, status: Object) -> Rollout:
    conditions = {one.get("type"): one for one in status.get("conditions", [])}
    if conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        return Rollout(Progress.FAILED, "the rollout exceeded its progress deadline")
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    if updated < wanted:
        return Rollout(Progress.ROLLING, f"{updated} of {wanted} replicas are updated")
    if (total := status.get("replicas", 0)) > updated:
        return Rollout(Progress.ROLLING, f"{total - updated} old replicas have not ended")
    return _availability(status.get("availableReplicas", 0), updated)


def _stateful_set(spec: Object, status: Object) -> Rollout:
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    partition = spec.get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0)
    if updated < wanted - partition:
        return Rollout(Progress.ROLLING, f"{updated} of {wanted - partition} replicas are updated")
    if status.get("replicas", 0) > wanted:
        return Rollout(Progress.ROLLING, f"{status['replicas'] - wanted} replicas have not ended")
    return _availability(status.get("readyReplicas", 0), wanted)


def _daemon_set(spec: Object, status: Object) -> Rollout:
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    if updated < wanted:
        return Rollout(Progress.ROLLING, f"{updated} of {wanted} pods are updated")
    return _availability(status.get("numberAvailable", 0), wanted)


def _availability(available: int, wanted: int) -> Rollout:
    text = f"{available} of {wanted} replicas are available"
    return Rollout(Progress.DONE if available >= wanted else Progress.UNAVAILABLE, text)


_RULES = {"deployments": _deployment, "statefulsets": _stateful_set, "daemonsets": _daemon_set}


def available_of(resource: str, workload: Object) -> int:
    """Return how many replicas serve now."""
    status = workload.get("status", {})
    names = {"deployments": "availableReplicas", "statefulsets": "readyReplicas", "daemonsets": "numberAvailable"}
    return int(status.get(names[resource], 0))


def revision_of(found: Object) -> int:
    """Return the revision that a deployment or ReplicaSet carries; 0: none."""
    text = (found["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def owned_by(deployment: Object, replica_sets: Iterable[Object]) -> list[Object]:
    """Return those of the ReplicaSets that the deployment controls, newest revision first."""
    uid = deployment["metadata"]["uid"]
    own = [
        one
        for one in replica_sets
        if any(owner.get("controller") and owner["uid"] == uid for owner in one["metadata"].get("ownerReferences", []))
    ]
    return sorted(own, key=revision_of, reverse=True)


def previous_of(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """Return the ReplicaSet that `kubectl rollout undo` would go back to."""
    current = revision_of(deployment)
    return next((one for one in owned_by(deployment, replica_sets) if 0 < revision_of(one) < current), None)


def template_of(replica_set: Object) -> dict[str, Any]:
    """Return its pod template as a deployment's: without the label that the controller adds."""
    template = dict(replica_set["spec"]["template"])
    metadata = dict(template.get("metadata", {}))
    labels = {name: value for name, value in metadata.get("labels", {}).items() if name != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def images_of(template: Object) -> str:
    return ", ".join(str(one.get("image", "")) for one in template.get("spec", {}).get("containers", []))


def floor_of(workload: Object, budgets: Iterable[Object]) -> int:
    """Return the replicas that disruption budgets ask for in whole numbers; percentages follow the scale."""
    labels = workload["spec"]["template"].get("metadata", {}).get("labels", {})
    wanted = [
        budget["spec"].get("minAvailable", 0)
        for budget in budgets
        if (chosen := budget["spec"].get("selector", {}).get("matchLabels")) and chosen.items() <= labels.items()
    ]
    return max((number for number in wanted if isinstance(number, int)), default=0)
