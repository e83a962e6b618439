"""The three kinds of PATCH that the Kubernetes API takes."""

import copy
from typing import Any

# Lists of objects that a strategic merge tells apart by a field (patchMergeKey in Kubernetes' types).
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "conditions": "type",
    "ownerReferences": "uid",
}
DIRECTIVE = "$patch"


class BadPatch(Exception):
    """The patch cannot be read or applied."""


def json_merge(document: Any, patch: Any) -> Any:
    """Return RFC 7386's result."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = json_merge(result.get(name), value)
    return result


def strategic_merge(document: Any, patch: Any, name: str = "") -> Any:
    """Return the result of a strategic merge: as `json_merge`, but lists with a key are merged by it."""
    if isinstance(patch, dict):
        return _merged_object(document, patch)
    if isinstance(patch, list) and name in MERGE_KEYS:
        return _merged_list(document if isinstance(document, list) else [], patch, MERGE_KEYS[name])
    return copy.deepcopy(patch)


def _merged_object(document: Any, patch: dict[str, Any]) -> Any:
    patch = dict(patch)
    directive = patch.pop(DIRECTIVE, "merge")
    if directive == "replace":
        return copy.deepcopy(patch)
    if directive != "merge":
        raise BadPatch(f"Unknown patch type: {directive}")
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = strategic_merge(result.get(name), value, name)
    return result


def _merged_list(document: list[Any], patch: list[Any], key: str) -> list[Any]:
    if any(not isinstance(item, dict) for item in patch):
        raise BadPatch("expected a list of objects")
    if any(item.get(DIRECTIVE) == "replace" for item in patch):
        return [copy.deepcopy(item) for item in patch if DIRECTIVE not in item]
    result = list(document)
    for item in patch:
        if key not in item:
            raise BadPatch(f"map: {item} does not contain declared merge key: {key}")
        places = [place for place, present in enumerate(result) if present.get(key) == item[key]]
        if item.get(DIRECTIVE) == "delete":
            result = [present for place, present in enumerate(result) if place not in places]
        elif places:
            result[places[0]] = _merged_object(result[places[0]], item)
        else:
            result.append(copy.deepcopy(item))
    return result


def json_patch(document: Any, operations: Any) -> Any:
    """Return RFC 6902's result of add, remove, replace and test. Raises BadPatch."""
    if not isinstance(operations, list):
        raise BadPatch("json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")
    document = copy.deepcopy(document)
    for operation in operations:
        _apply(document, operation)
    return document


def _apply(document: Any, operation: dict[str, Any]) -> None:
    name, path = operation.get("op"), operation.get("path", "")
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    place = document
    for part in parents:
        place = _child(place, part, path)
    if name in ("replace", "remove", "test"):
        present = _child(place, last, path)
        if name == "test" and present != operation.get("value"):
            raise BadPatch(f"testing value {path} failed: test failed")
    key: Any = int(last) if isinstance(place, list) and last != "-" else last
    if name == "remove":
        del place[key]
    elif name == "add" and isinstance(place, list):
        place.insert(len(place) if key == "-" else key, copy.deepcopy(operation["value"]))
    elif name in ("add", "replace"):
        place[key] = copy.deepcopy(operation["value"])
    elif name != "test":
        raise BadPatch(f"Unexpected kind: {name}")


def _child(place: Any, part: str, path: str) -> Any:
    try:
        return place[int(part)] if isinstance(place, list) else place[part]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise BadPatch(f"the path {path} does not exist: missing value") from error
