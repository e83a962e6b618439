"""Loki's push."""

from intake.requests import Incoming, IntakeError, Reply
from logs.endpoints.senders import TEXT, LogDoor
from logs.lines import Parsed


class LokiDoor(LogDoor):
    """Loki's push. Its agents try again after 429 and 5xx; what else they are told goes to their own log."""

    paths = (r"loki/api/v1/push/?",)
    format = "loki"

    def reply(self, incoming: Incoming, parsed: Parsed) -> Reply:
        return Reply(204, media_type=TEXT)

    def refuse(self, error: IntakeError) -> Reply:
        return Reply(error.status, f"{error.message}\n".encode(), super().refuse(error).headers, TEXT)


ENDPOINTS = (LokiDoor(),)
