"""What is done inside Django while streams are measured (see `benchmarks.inside`)."""

import time

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore

from incidents.models import IncidentEvent
from incidents.services import NewIncident, feed, open_incident
from users.models import Role, User


def people(number: str) -> list[str]:
    """Make so many responders, each signed in; return their session keys."""
    password = make_password(None)
    wanted = [
        User(email=f"watcher{count}@example.com", name=f"Watcher {count}", role=Role.RESPONDER, password=password)
        for count in range(int(number))
    ]
    User.objects.bulk_create(wanted)
    keys = []
    for user in User.objects.filter(email__startswith="watcher").order_by("id"):
        session = SessionStore()
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
        session.save()
        keys.append(session.session_key)
    return keys


def report(number: str, each_seconds: str) -> int:
    """Report incidents at a steady pace; return the place of the last event."""
    begun = time.monotonic()
    for count in range(int(number)):
        time.sleep(max(0.0, begun + count * float(each_seconds) - time.monotonic()))
        open_incident(NewIncident(title=f"Queue {count} is full", severity=3), by=None)
    while IncidentEvent.objects.waiting_for_feed().exists():
        time.sleep(0.05)
    return feed.head()


def received_after(place: str) -> dict[str, float]:
    """Return when each event after a place of the feed was received, just before it was committed, by its place."""
    found = IncidentEvent.objects.filter(feed_seq__gt=int(place)).values_list("feed_seq", "received_at")
    return {str(seq): moment.timestamp() for seq, moment in found}


def head() -> int:
    return feed.head()
