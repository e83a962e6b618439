"""Work inside one data set: take away what an earlier measurement left, check that the data is what it should be."""

import random

from auditlog.models import LogEntry
from django.db import connection
from django.db.models import Sum

from benchmarks.incidents import history, people, words
from core.models import IdempotentRequest
from incidents import search
from incidents.models import FeedCursor, Incident, IncidentEvent, Subscription, Tally
from incidents.models.tally import Dimension
from incidents.services import verify
from users.models import Session, User
from users.services.sessions import open_session
from users.tokens import access_token

SAMPLE = 200


def tidy(number: str) -> None:
    """Remove the incidents that came after the made ones; the made ones are never changed."""
    size = int(number)
    Session.objects.all().delete()
    left = Incident.objects.filter(pk__gt=size)
    if not left.exists():
        return
    Subscription.objects.filter(incident_id__gt=size).delete()
    IncidentEvent.objects.filter(incident_id__gt=size)._raw_delete("default")
    Incident.services.through.objects.filter(incident_id__gt=size).delete()
    key = "rowid" if connection.vendor == "sqlite" else "incident_id"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM incidents_search WHERE {key} > %s", [size])
    left._raw_delete("default")
    LogEntry.objects.get_for_model(Incident).filter(object_id__gt=size).delete()
    IdempotentRequest.objects.all().delete()
    FeedCursor.objects.filter(name="head").update(position=IncidentEvent.objects.latest("id").pk)


def check(number: str) -> None:
    """Raise SystemExit where the data is not what it should be."""
    size = int(number)
    _expect("incidents", Incident.objects.count(), size)
    for dimension in (Dimension.STATUS, Dimension.TEAM):
        kept = Tally.objects.filter(dimension=dimension).aggregate(sum=Sum("count"))["sum"]
        _expect(f"counted by {dimension}", kept, Incident.objects.filter(is_restricted=False).count())
    _expect("long timeline", _long_timeline(), history.LONG_TIMELINE_EVENTS if size >= history.LONG_TIMELINE_ID else 0)
    numbers = random.Random(size)
    for pk in numbers.sample(range(1, size + 1), min(SAMPLE, size)):
        _expect(f"fault in the chain of {pk}", verify(Incident.objects.get(pk=pk)), None)
    admin = User.objects.get(pk=people.ADMIN_ID)
    for word, expected in ((words.COMMON_WORD, size // 3), (words.RARE_WORD, _rare(size))):
        found = search.filter_matching(Incident.objects.visible_to(admin), word, reads_internal=True)
        _expect(f"incidents with the word {word}", found.count(), expected)


def _long_timeline() -> int:
    return IncidentEvent.objects.filter(incident_id=history.LONG_TIMELINE_ID).count()


def _rare(size: int) -> int:
    return len(range(words.RARE_AT, size + 1, words.RARE_EVERY))


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"{what}: expected {expected}, found {found}")


def tokens() -> dict[str, str]:
    """Access tokens of an administrator and of a responder who is in two teams."""
    ids = {"admin": people.ADMIN_ID, "responder": people.RESPONDER_IDS.start}
    return {name: access_token(open_session(User.objects.get(pk=pk))) for name, pk in ids.items()}
