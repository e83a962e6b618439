"""GELF over HTTP."""

from intake.requests import Incoming, Reply
from logs.endpoints.senders import LogDoor
from logs.lines import Parsed


class GelfDoor(LogDoor):
    """GELF over HTTP. It has no place for a key: Basic, a header, or `?key=`."""

    paths = (r"gelf/?",)
    format = "gelf"

    def key(self, incoming: Incoming) -> str:
        return super().key(incoming) or incoming.parameter("key")

    def reply(self, incoming: Incoming, parsed: Parsed) -> Reply:
        return Reply(202)


ENDPOINTS = (GelfDoor(),)
