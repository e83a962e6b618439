"""Read what a summary tells, as far as its reader may know it."""

import datetime as dt

from django.db.models import Count, Q
from django.utils import timezone

from alerts.models import Alert
from alerts.vocabulary import AlertStatus
from assistant.suggestions import Summary
from assistant.summaries import LATEST, Story, summary_of
from incidents.models import EventKind, Incident, IncidentEvent
from reviews.narrative import LIFECYCLE, PUBLIC
from users.models import User

TELLING = (*LIFECYCLE, *PUBLIC, EventKind.COMMENT, EventKind.CLOSED)
READ = 4 * LATEST  # events, from the end


def summarise(incident: Incident, viewer: User, now: dt.datetime) -> Summary:
    """Return where the incident stands in the active language; reporters learn no internal notes."""
    readable = IncidentEvent.objects.readable_by(viewer).filter(incident=incident, redacted_at=None)
    latest = list(readable.filter(kind__in=TELLING).order_by("-seq")[:READ])[::-1]
    if not latest or latest[0].kind != EventKind.CREATED:
        latest = [*readable.filter(kind=EventKind.CREATED).order_by("seq")[:1], *latest]
    alerts = Alert.objects.filter(incident=incident).aggregate(
        all=Count("pk"), firing=Count("pk", filter=Q(status=AlertStatus.FIRING))
    )
    story = Story(
        incident,
        list(incident.services.order_by("name").values_list("name", flat=True)),
        alerts["all"],
        alerts["firing"],
        latest,
        now,
        timezone.get_current_timezone(),
    )
    return summary_of(story)
