"""What the stand-in keeps: objects with versions and generations, and controllers that roll out over time."""

import copy
import datetime as dt
import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
READ_ONLY = ("name", "namespace", "uid", "creationTimestamp", "generation", "managedFields")
Object = dict[str, Any]


class Refusal(Exception):
    """What a Status object says."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details


@dataclass
class Rollout:
    """Where a controller is with one workload."""

    created: int  # pods of the current template
    ready: int
    old: int  # pods of earlier templates, all ready
    next_at: float | None = None
    deadline_at: float | None = None
    is_late: bool = False


class Cluster:
    """Objects of all namespaces; `pace` is how many seconds each step of a rollout takes."""

    def __init__(self, *, pace: float = 0.05, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace, self.clock = pace, clock
        self.lock = threading.RLock()
        self._version = 1000
        self._objects: dict[tuple[str, str, str], Object] = {}  # resource, namespace, name
        self._rollouts: dict[tuple[str, str, str], Rollout] = {}

    # --- What is in it ------------------------------------------------------------------------------------------------

    def add(
        self, namespace: str, name: str, *, replicas: int = 3, image: str = "web:1", resource: str = "deployments"
    ) -> None:
        """Add a workload that runs."""
        labels = {"app": name}
        spec: Object = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}},
        }
        if resource != "daemonsets":
            spec["replicas"] = replicas
        if resource == "deployments":
            spec |= {"progressDeadlineSeconds": 600, "strategy": {"type": "RollingUpdate"}}
        else:
            spec["updateStrategy"] = {"type": "RollingUpdate"}
        if resource == "statefulsets":
            spec["serviceName"] = name
        with self.lock:
            key = (resource, namespace, name)
            self._objects[key] = self._new(KINDS[resource], namespace, name, spec, labels)
            self._rollouts[key] = Rollout(replicas, replicas, 0)
            if resource == "deployments":
                self._revise(key)
            self._write_status(key)

    def add_budget(self, namespace: str, name: str, app: str, *, min_available: int | str) -> None:
        """Add a disruption budget."""
        spec = {"minAvailable": min_available, "selector": {"matchLabels": {"app": app}}}
        with self.lock:
            made = self._new("PodDisruptionBudget", namespace, name, spec, {})
            self._objects["poddisruptionbudgets", namespace, name] = {**made, "apiVersion": "policy/v1"}

    def _new(self, kind: str, namespace: str, name: str, spec: Object, labels: Object) -> Object:
        metadata = {
            "name": name,
            "namespace": namespace,
            "uid": str(uuid.uuid4()),
            "resourceVersion": self._next_version(),
            "generation": 1,
            "creationTimestamp": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "labels": dict(labels),
            "annotations": {},
        }
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": {}}

    def _next_version(self) -> str:
        self._version += 1
        return str(self._version)

    # --- Reading ------------------------------------------------------------------------------------------------------

    def get(self, resource: str, namespace: str, name: str) -> Object:
        """Return a copy of an object. Raises Refusal."""
        with self.lock:
            self._advance()
            found = self._objects.get((resource, namespace, name))
            if found is None:
                raise Refusal(404, "NotFound", f'{resource}.apps "{name}" not found', name=name, kind=resource)
            return copy.deepcopy(found)

    def find(self, resource: str, namespace: str, selector: dict[str, str]) -> list[Object]:
        """Return copies of the objects with these labels, by name."""
        with self.lock:
            self._advance()
            return [
                copy.deepcopy(found)
                for (of, within, _name), found in sorted(self._objects.items())
                if (of, within) == (resource, namespace)
                and selector.items() <= found["metadata"].get("labels", {}).items()
            ]

    @property
    def version(self) -> str:
        return str(self._version)

    # --- Writing ------------------------------------------------------------------------------------------------------

    def change(
        self, resource: str, namespace: str, name: str, patched: Callable[[Object], Object], *, is_dry: bool
    ) -> Object:
        """Store what `patched` makes of an object, unless it is a dry run. Raises Refusal."""
        with self.lock:
            before = self.get(resource, namespace, name)
            after = patched(copy.deepcopy(before))
            _judge(resource, before, after)
            after["status"] = before["status"]
            if after == before:
                return before  # a patch that changes nothing makes no version
            for field in READ_ONLY:
                if field in before["metadata"]:
                    after["metadata"][field] = before["metadata"][field]
            if after["spec"] != before["spec"]:
                after["metadata"]["generation"] = before["metadata"]["generation"] + 1
            if is_dry:
                return after
            after["metadata"]["resourceVersion"] = self._next_version()
            key = (resource, namespace, name)
            self._objects[key] = after
            if after["spec"] != before["spec"] and key in self._rollouts:
                self._begin(key, is_new=after["spec"]["template"] != before["spec"]["template"])
            return copy.deepcopy(after)

    def _begin(self, key: tuple[str, str, str], *, is_new: bool) -> None:
        rollout = self._rollouts[key]
        now = self.clock()
        if is_new:
            rollout.created, rollout.ready, rollout.old = 0, 0, rollout.ready + rollout.old
        rollout.next_at, rollout.is_late = now + self.pace, False
        rollout.deadline_at = now + self._objects[key]["spec"].get("progressDeadlineSeconds", 600)

    # --- The controllers ----------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        for key, rollout in list(self._rollouts.items()):
            while rollout.next_at is not None and rollout.next_at <= self.clock():
                self._step(key, rollout)

    def _step(self, key: tuple[str, str, str], rollout: Rollout) -> None:
        found = self._objects[key]
        wanted = self._wanted(key)
        assert rollout.next_at is not None
        rollout.next_at += self.pace
        is_broken = found["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":broken")
        if found["status"]["observedGeneration"] != found["metadata"]["generation"]:
            if key[0] == "deployments":
                self._revise(key)
        elif found["spec"].get("paused"):
            rollout.next_at = None
        elif rollout.created > wanted:
            rollout.created = rollout.ready = wanted
        elif rollout.ready < rollout.created and not is_broken:
            rollout.ready += 1
            rollout.old = max(0, min(rollout.old, wanted - rollout.ready))
        elif rollout.created < wanted and not (is_broken and rollout.created):
            rollout.created += 1
        elif is_broken and rollout.ready < wanted:
            assert rollout.deadline_at is not None
            rollout.is_late = rollout.next_at > rollout.deadline_at
            rollout.next_at = None if rollout.is_late else max(rollout.next_at, rollout.deadline_at)
        else:
            rollout.next_at = None
        self._write_status(key)

    def _wanted(self, key: tuple[str, str, str]) -> int:
        return int(self._objects[key]["spec"].get("replicas", 3))  # daemon sets: as many nodes

    def _revise(self, key: tuple[str, str, str]) -> None:
        """Give the current template its ReplicaSet, and the next revision."""
        deployment = self._objects[key]
        _resource, namespace, name = key
        template = deployment["spec"]["template"]
        mark = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        labels = {**template["metadata"]["labels"], HASH: mark}
        own = self.owned(deployment)
        newest = max((int(found["metadata"]["annotations"][REVISION]) for found in own), default=0)
        place = ("replicasets", namespace, f"{name}-{mark}")
        present = self._objects.get(place)
        if present and int(present["metadata"]["annotations"][REVISION]) == newest:
            return
        if present is None:
            inner = copy.deepcopy(template)
            inner["metadata"]["labels"] = labels
            spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": inner}
            present = self._new("ReplicaSet", namespace, place[2], spec, labels)
            owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "controller": True}
            present["metadata"]["ownerReferences"] = [{**owner, "uid": deployment["metadata"]["uid"]}]
            present["status"] = {"replicas": 0}
            self._objects[place] = present
        present["metadata"]["annotations"][REVISION] = str(newest + 1)
        deployment["metadata"].setdefault("annotations", {})[REVISION] = str(newest + 1)

    def owned(self, deployment: Object) -> list[Object]:
        """Return a deployment's ReplicaSets themselves."""
        uid = deployment["metadata"]["uid"]
        return [
            found
            for (resource, *_rest), found in self._objects.items()
            if resource == "replicasets" and found["metadata"]["ownerReferences"][0]["uid"] == uid
        ]

    def _write_status(self, key: tuple[str, str, str]) -> None:
        found, rollout = self._objects[key], self._rollouts[key]
        status = STATUSES[key[0]](rollout, self._wanted(key), found)
        status["observedGeneration"] = found["metadata"]["generation"]
        if status != found["status"]:
            found["status"] = status
            found["metadata"]["resourceVersion"] = self._next_version()


def _judge(resource: str, before: Object, after: Object) -> None:
    """Raise Refusal for what a server does not store."""
    name = before["metadata"]["name"]
    metadata, spec = after.get("metadata", {}), after.get("spec", {})
    if metadata.get("resourceVersion") != before["metadata"]["resourceVersion"]:
        text = "the object has been modified; please apply your changes to the latest version and try again"
        raise Refusal(409, "Conflict", f'Operation cannot be fulfilled on {resource}.apps "{name}": {text}', name=name)
    if metadata.get("name") != name:
        raise Refusal(400, "BadRequest", "the name of the object does not match the name on the URL")
    replicas = spec.get("replicas", 1)
    problem = ""
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise Refusal(400, "BadRequest", "json: cannot unmarshal into Go struct field .spec.replicas of type int32")
    if replicas < 0:
        problem = f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
    elif spec.get("selector") != before["spec"]["selector"]:
        problem = "spec.selector: Invalid value: field is immutable"
    elif not spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"].get("labels", {}).items():
        problem = "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"
    elif any(not isinstance(value, str) for value in spec["template"]["metadata"].get("annotations", {}).values()):
        raise Refusal(400, "BadRequest", "json: cannot unmarshal number into .annotations of type string")
    if problem:
        raise Refusal(422, "Invalid", f'{before["kind"]}.apps "{name}" is invalid: {problem}', name=name)


def _deployment_status(rollout: Rollout, wanted: int, found: Object) -> Object:
    is_new = rollout.ready >= wanted and not rollout.old
    reason = "NewReplicaSetAvailable" if is_new else "ReplicaSetUpdated"
    if rollout.is_late:
        reason = "ProgressDeadlineExceeded"
    available = rollout.ready + rollout.old
    counts = {
        "replicas": rollout.created + rollout.old,
        "updatedReplicas": rollout.created,
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
    }
    conditions = [
        {"type": "Available", "status": "True" if available else "False", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "False" if rollout.is_late else "True", "reason": reason},
    ]
    return {**{name: count for name, count in counts.items() if count}, "conditions": conditions}


def _stateful_status(rollout: Rollout, wanted: int, found: Object) -> Object:
    template = json.dumps(found["spec"]["template"], sort_keys=True).encode()
    update = f"{found['metadata']['name']}-{hashlib.sha256(template).hexdigest()[:10]}"
    is_new = rollout.ready >= wanted and not rollout.old
    return {
        "replicas": rollout.created + rollout.old,
        "readyReplicas": rollout.ready + rollout.old,
        "availableReplicas": rollout.ready + rollout.old,
        "updatedReplicas": rollout.created,
        "currentRevision": update if is_new else found["status"].get("currentRevision", update),
        "updateRevision": update,
    }


def _daemon_status(rollout: Rollout, wanted: int, found: Object) -> Object:
    return {
        "currentNumberScheduled": wanted,
        "desiredNumberScheduled": wanted,
        "numberMisscheduled": 0,
        "numberReady": rollout.ready + rollout.old,
        "numberAvailable": rollout.ready + rollout.old,
        "updatedNumberScheduled": rollout.created,
    }


STATUSES = {"deployments": _deployment_status, "statefulsets": _stateful_status, "daemonsets": _daemon_status}
