"""Alerts, their groups, routes, silences, heartbeats, and changes to systems."""

from alerts.models.alert import (
    Alert,
    AlertGroup,
    AlertLabel,
    AlertQuerySet,
    EarlyResolve,
    pair_number,
    pairs_of,
    serialize_alert,
)
from alerts.models.change import ChangeEvent
from alerts.models.heartbeat import Heartbeat
from alerts.models.routing import Route, Silence

__all__ = [
    "Alert",
    "AlertGroup",
    "AlertLabel",
    "AlertQuerySet",
    "ChangeEvent",
    "EarlyResolve",
    "Heartbeat",
    "Route",
    "Silence",
    "pair_number",
    "pairs_of",
    "serialize_alert",
]
