"""Write what was learnt as compact bytes: features as keyed digests, so that no word of an incident is stored."""

import hashlib
import json
import sys
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from assistant.learning.learner import Figures, Learnt
from assistant.learning.softmax import Weights

SCALE = 1_000  # weights are kept to a thousandth
MOST = 32_767
KEY_BYTES = 8
FORMAT = 1


def keyed(features: Sequence[str], key: bytes) -> list[str]:
    """Return the features as digests that only who has the key can guess."""
    return [hashlib.blake2b(one.encode(), digest_size=KEY_BYTES, key=key[:64]).hexdigest() for one in features]


def pack(learnt: Mapping[str, Learnt[int]]) -> bytes:
    """Return what was learnt of each field; features must be `keyed`."""
    header = {
        field: {
            "classes": one.weights.classes,
            "biases": one.weights.biases,
            "temperature": one.temperature,
            "figures": asdict(one.figures),
            "features": len(one.weights.rows),
        }
        for field, one in learnt.items()
    }
    head = json.dumps({"format": FORMAT, "fields": header}).encode()
    parts = [len(head).to_bytes(4, "big"), head]
    for one in learnt.values():
        parts.append(bytes.fromhex("".join(one.weights.rows)))
        scaled = (round(value * SCALE) for row in one.weights.rows.values() for value in row)
        parts.append(_little_endian(array("h", (max(-MOST, min(MOST, value)) for value in scaled))).tobytes())
    return zlib.compress(b"".join(parts), 6)


def unpack(packed: bytes) -> dict[str, Learnt[int]]:
    """Return what `pack` was given. Raises ValueError for what another version wrote."""
    raw = zlib.decompress(packed)
    size = int.from_bytes(raw[:4], "big")
    told, place = json.loads(raw[4 : 4 + size]), 4 + size
    if told["format"] != FORMAT:
        raise ValueError("This model was written by another version.")
    found = {}
    for field, one in told["fields"].items():
        count, width = one["features"], len(one["classes"])
        keys = raw[place : place + count * KEY_BYTES].hex()
        place += count * KEY_BYTES
        numbers = _little_endian(array("h", raw[place : place + 2 * count * width]))
        place += 2 * count * width
        rows = {
            keys[2 * KEY_BYTES * number : 2 * KEY_BYTES * (number + 1)]: [
                value / SCALE for value in numbers[number * width : (number + 1) * width]
            ]
            for number in range(count)
        }
        weights = Weights(tuple(one["classes"]), one["biases"], rows)
        found[field] = Learnt(weights, one["temperature"], Figures(**one["figures"]))
    return found


def _little_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
