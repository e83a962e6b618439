"""The words of the status page."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Impact(models.TextChoices):
    """How a component is affected, the worst last."""

    OPERATIONAL = "operational", _("Operational")
    MAINTENANCE = "maintenance", _("Under maintenance")
    DEGRADED = "degraded", _("Degraded performance")
    PARTIAL_OUTAGE = "partial_outage", _("Partial outage")
    MAJOR_OUTAGE = "major_outage", _("Major outage")


RANK = {impact: rank for rank, impact in enumerate(Impact)}


class Kind(models.TextChoices):
    """What is announced."""

    INCIDENT = "incident", _("Incident")
    MAINTENANCE = "maintenance", _("Maintenance")


class State(models.TextChoices):
    """How far an incident or maintenance got, as the public is told."""

    INVESTIGATING = "investigating", _("Investigating")
    IDENTIFIED = "identified", _("Identified")
    MONITORING = "monitoring", _("Monitoring")
    RESOLVED = "resolved", _("Resolved")
    SCHEDULED = "scheduled", _("Scheduled")
    IN_PROGRESS = "in_progress", pgettext_lazy("maintenance", "In progress")
    COMPLETED = "completed", pgettext_lazy("maintenance", "Completed")


STATES = {
    Kind.INCIDENT: (State.INVESTIGATING, State.IDENTIFIED, State.MONITORING, State.RESOLVED),
    Kind.MAINTENANCE: (State.SCHEDULED, State.IN_PROGRESS, State.COMPLETED),
}
INCIDENT_STATES = [choice for choice in State.choices if choice[0] in STATES[Kind.INCIDENT]]
ENDED = (State.RESOLVED, State.COMPLETED)


class SubscriberState(models.TextChoices):
    """Whether a subscriber is told anything."""

    PENDING = "pending", _("Not confirmed")
    ACTIVE = "active", _("Confirmed")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")


class StatusEventKind(models.TextChoices):
    """What an incident's timeline says of the status page, to those who work on it."""

    PUBLISHED = "status_published", _("Published on the status page")
    UPDATED = "status_updated", _("Status page updated")
    WITHDRAWN = "status_withdrawn", _("Withdrawn from the status page")
