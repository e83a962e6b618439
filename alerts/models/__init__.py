"""Alerts: where they come from, what they are, where they go."""

from alerts.models.alert import Alert, AlertGroup, AlertLabel, AlertQuerySet, EarlyEnd, pair_number, pairs_of
from alerts.models.change import ChangeEvent
from alerts.models.intake import IntakeEvent, IntakeEventQuerySet
from alerts.models.routing import Route, Silence
from alerts.models.source import Heartbeat, Source, SourceKey, UnknownWord

__all__ = [
    "Alert",
    "AlertGroup",
    "AlertLabel",
    "AlertQuerySet",
    "ChangeEvent",
    "EarlyEnd",
    "Heartbeat",
    "IntakeEvent",
    "IntakeEventQuerySet",
    "Route",
    "Silence",
    "Source",
    "SourceKey",
    "UnknownWord",
    "pair_number",
    "pairs_of",
]
