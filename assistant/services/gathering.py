"""Read, once, what is known of an incident when causes are looked for."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from alerts.models import Alert
from assistant.likeness import stems
from incidents.models import Incident
from incidents.search import tokens
from responders.models import Service

MOST_ALERTS = 20  # the first
MOST_NAMES = 6
OLDEST = dt.timedelta(hours=24)  # before the incident, of an alert that began it
SERVICE_LABELS = (
    *("service", "service_name", "app", "application", "job", "component", "deployment", "container", "workload"),
)


@dataclass(frozen=True)
class Known:
    """An incident with its services and first alerts."""

    incident: Incident
    services: tuple[Service, ...]
    alerts: tuple[Alert, ...]

    @cached_property
    def start(self) -> dt.datetime:
        """When it began, as far as known: when it happened, or its first alert."""
        earliest = self.incident.occurred_at - OLDEST
        begun = [alert.starts_at for alert in self.alerts if alert.starts_at >= earliest]
        return min([self.incident.occurred_at, *begun])

    @cached_property
    def service_names(self) -> tuple[str, ...]:
        """Names under which its services may log: their own, and those of its alerts' labels."""
        names = [name for service in self.services for name in (service.slug, service.name)]
        for alert in self.alerts:
            names += [str(alert.labels[label]) for label in SERVICE_LABELS if alert.labels.get(label)]
        return tuple(dict.fromkeys(names))[:MOST_NAMES]

    @cached_property
    def words(self) -> frozenset[str]:
        texts = [self.incident.title, self.incident.description, *(alert.title for alert in self.alerts)]
        return frozenset(stems(word for text in texts for word in tokens.split_words(text)))


def known_of(incident: Incident) -> Known:
    alerts = Alert.objects.filter(incident=incident).order_by("starts_at", "pk")
    return Known(incident, tuple(incident.services.all()), tuple(alerts[:MOST_ALERTS]))
