"""Loki's push request in protobuf, the way its own agents send it.

Source: https://github.com/grafana/loki/blob/main/pkg/push/push.proto. The messages are described here rather than
generated, for they are four.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_STRING, _MESSAGE, _INT64, _INT32 = 9, 11, 3, 5
_REPEATED, _SINGLE = 3, 1
_PACKAGE = "loki.push"
# Message → (field, number, type, repeated or not, the type's name).
_MESSAGES: dict[str, tuple[tuple[str, int, int, int, str], ...]] = {
    "Moment": (("seconds", 1, _INT64, _SINGLE, ""), ("nanos", 2, _INT32, _SINGLE, "")),
    "Pair": (("name", 1, _STRING, _SINGLE, ""), ("value", 2, _STRING, _SINGLE, "")),
    "Entry": (
        ("timestamp", 1, _MESSAGE, _SINGLE, "Moment"),
        ("line", 2, _STRING, _SINGLE, ""),
        ("metadata", 3, _MESSAGE, _REPEATED, "Pair"),
    ),
    "Stream": (("labels", 1, _STRING, _SINGLE, ""), ("entries", 2, _MESSAGE, _REPEATED, "Entry")),
    "Push": (("streams", 1, _MESSAGE, _REPEATED, "Stream"),),
}


@cache
def push_request() -> Any:
    """The class of the request's message."""
    file = descriptor_pb2.FileDescriptorProto(name="loki_push.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, label, of_type in fields:
            added = message.field.add(name=field, number=number, type=kind, label=label)
            if of_type:
                added.type_name = f".{_PACKAGE}.{of_type}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Push"))
