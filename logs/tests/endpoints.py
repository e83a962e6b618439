"""What the tests of the endpoints of log senders share."""

import base64
import json
from typing import Any

from django.test import TestCase

from alerts.tests.factories import make_key
from logs.models import LogEntry
from logs.tests.factories import make_log_source


class LogEndpointTests(TestCase):
    def setUp(self) -> None:
        self.source = make_log_source()
        self.key = make_key(self.source)

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Any:
        """Post as a sender with a bearer token does; bytes go as they are, all else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("content-type", "application/json")
        headers.setdefault("authorization", f"Bearer {self.key if key is None else key}")
        kind = headers.pop("content-type")
        return self.client.post(path, data=content, content_type=kind, headers=headers)

    def basic(self, name: str, password: str) -> str:
        return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

    def messages(self) -> list[str]:
        return list(LogEntry.objects.order_by("id").values_list("message", flat=True))
