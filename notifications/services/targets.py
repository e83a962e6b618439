"""Rooms and webhooks that escalation policies may name."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from notifications.models import RoomChannel, WebhookEndpoint
from responders.targets import register_target_kind

MOST = 1_000  # to choose from


def register() -> None:
    for kind, label, rows in (
        ("channel", _("Channel"), RoomChannel.objects.filter(is_enabled=True)),
        ("webhook", _("Webhook"), WebhookEndpoint.objects.filter(is_enabled=True)),
    ):
        names = partial(_names, rows)
        register_target_kind(kind, label=label, names_of=names, all_names=names)


def _names(rows: QuerySet[Any], ids: Collection[int] | None = None) -> dict[int, str]:
    found = rows.all() if ids is None else rows.filter(pk__in=ids)
    return dict(found.order_by("name", "pk").values_list("pk", "name")[:MOST])
