"""Builders for tests."""

from typing import Any

from notifications.channels.webhook.signing import new_secret
from notifications.models import WebhookEndpoint


def make_webhook(name: str = "Board", **fields: Any) -> WebhookEndpoint:
    """A webhook to a public address."""
    fields = {"url": "https://board.example/hooks", "secret": new_secret(), **fields}
    return WebhookEndpoint.objects.create(name=name, **fields)
