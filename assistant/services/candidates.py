"""Find incidents worth comparing, at a cost that does not depend on how many there are."""

from collections.abc import Iterator
from itertools import combinations

from django.db import connection

from alerts.models import AlertGroup
from alerts.models.alert import Alert, AlertLabel
from assistant.likeness import STEM, Facts, Query, Rarity, stems
from incidents.models import Incident, IncidentQuerySet, Subscription
from incidents.search import newest_with, public_words
from users.models import User

SAMPLE = 600  # documents that tell rare words
WORDS = 8  # asked for one by one
PER_WORD = 120
RARE_SHARE = 0.05  # more common words are asked for in pairs
MOST_EXPECTED = 20_000  # matches that MariaDB, which reads them all, is asked for
PAIRED = 4
OPEN = 200  # newest
OF_SERVICE = 100
SPAN = 50_000  # newest incidents, among which a service's are looked for
OF_GROUP, OF_LABEL = 50, 60
FOLLOWED = 300


def sample() -> Rarity:
    """Return what words weigh, from documents spread evenly over all incidents."""
    total = Incident.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    ids = range(total, 0, -max(1, total // SAMPLE))
    return Rarity.of((frozenset(stems(words)) for words in public_words(ids).values()), total)


def candidate_ids(asked: Facts, query: Query, rarity: Rarity, visible: IncidentQuerySet, viewer: User) -> set[int]:
    """Return the ids of incidents that share words, alerts or services; not all of them visible."""
    if not viewer.is_staff:
        followed = Subscription.objects.filter(user=viewer).order_by("-incident_id")
        return set(followed.values_list("incident_id", flat=True)[:FOLLOWED]) - {asked.id}
    if rarity.total <= SAMPLE:
        return set(Incident.objects.order_by().values_list("pk", flat=True)) - {asked.id}
    found = _by_words(query, rarity) | _by_service(asked, rarity.total) | _by_alerts(asked)
    found.update(visible.open().order_by("-created_at").values_list("pk", flat=True)[:OPEN])
    return found - {asked.id}


def _by_words(query: Query, rarity: Rarity) -> set[int]:
    found: set[int] = set()
    for words in _searches(query, rarity):
        found.update(newest_with([(word, word.isalpha() and len(word) >= STEM) for word in words], PER_WORD))
    return found


def _searches(query: Query, rarity: Rarity) -> Iterator[tuple[str, ...]]:
    """Yield rare words alone, and the title's others in pairs and all together."""
    telling = query.by_weight(rarity)
    yield from ((word,) for word in [one for one in telling if rarity.share(one) <= RARE_SHARE][:WORDS])
    titles = set(query.title_words())
    common = [word for word in telling if word in titles and rarity.share(word) > RARE_SHARE][:PAIRED]
    if connection.vendor != "sqlite":
        common = [word for word in common if rarity.expected(word) <= MOST_EXPECTED]
    if len(common) > 2:
        yield tuple(common)
    yield from combinations(common, 2)


def _by_service(asked: Facts, total: int) -> set[int]:
    through = Incident.services.through.objects
    found: set[int] = set()
    for service in asked.services:
        recent = through.filter(service_id=service, incident_id__gt=total - SPAN).order_by("-incident_id")
        found.update(recent.values_list("incident_id", flat=True)[:OF_SERVICE])
    return found


def _by_alerts(asked: Facts) -> set[int]:
    """Return the incidents of earlier firings in the same groups, and of alerts with a label of its."""
    found: set[int | None] = set()
    if asked.groups:
        groups = AlertGroup.objects.filter(key__in=asked.groups, incident__isnull=False).order_by("-pk")
        found.update(groups.values_list("incident_id", flat=True)[:OF_GROUP])
    alerts: set[int] = set()
    for pair in asked.labels:
        alerts.update(
            AlertLabel.objects.filter(pair=pair).order_by("-alert_id").values_list("alert_id", flat=True)[:OF_LABEL]
        )
    if alerts:
        found.update(Alert.objects.filter(pk__in=alerts).values_list("incident_id", flat=True))
    return {pk for pk in found if pk is not None}
