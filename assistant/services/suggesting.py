"""Gather all that is suggested about an incident, for one reader."""

import datetime as dt

from assistant.services.similar import related_incidents
from assistant.suggestions import Suggestions
from incidents.models import Incident
from users.models import User


def suggestions_of(incident: Incident, viewer: User, now: dt.datetime) -> Suggestions:
    """Return what is suggested to somebody who sees the incident; reporters learn no internals. Nothing is written."""
    similar, duplicates = related_incidents(incident, viewer, now)
    if not (viewer.is_admin or viewer.is_responder):
        return Suggestions(similar=similar)
    return Suggestions(similar=similar, duplicates=duplicates)
