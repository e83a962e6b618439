"""What incidents are made of; one module per topic, one place to import from."""

from incidents.models.attachment import Attachment
from incidents.models.configuration import Category, SlaPolicy
from incidents.models.incident import Incident, IncidentQuerySet
from incidents.models.people import IncidentLink, Subscription
from incidents.models.rules import ReportRule
from incidents.models.tally import Tally
from incidents.models.timeline import FeedCursor, IncidentEvent, IncidentEventQuerySet
from incidents.vocabulary import EventKind, LinkKind, Origin, Status, Visibility

__all__ = [
    "Attachment",
    "Category",
    "EventKind",
    "FeedCursor",
    "Incident",
    "IncidentEvent",
    "IncidentEventQuerySet",
    "IncidentLink",
    "IncidentQuerySet",
    "LinkKind",
    "Origin",
    "ReportRule",
    "SlaPolicy",
    "Status",
    "Subscription",
    "Tally",
    "Visibility",
]
