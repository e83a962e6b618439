"""Find incidents worth comparing, at a cost that does not depend on how many there are."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from django.db import connection

from alerts.models import AlertGroup
from alerts.models.alert import Alert, AlertLabel
from assistant.likeness import STEM, Facts, Query, Rarity, stems
from incidents.models import Incident, IncidentQuerySet, Subscription
from incidents.search import newest_with, public_words
from incidents.search.index import Terms
from users.models import User

SAMPLE = 600  # documents that tell rare words
KEPT_SECONDS = 600  # a sample
WORDS = 8  # rare ones, asked for one by one
PER_WORD = 120
RARE = 5_000  # expected incidents with a word: fewer are read by its beginning, more only beside other words
MOST_READ = 40_000  # expected incidents with common words, summed over all that MariaDB is asked: it reads them all
PAIRED = 4
MOST = 200  # candidates by words
OPEN = 60  # newest
OF_GROUP, OF_LABEL = 50, 60
FOLLOWED = 300

_kept: dict[str, tuple[float, Rarity]] = {}


def sample() -> Rarity:
    """Return what words weigh, from documents spread evenly over all incidents; a large history's is kept a while."""
    total = Incident.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    name, now = str(connection.settings_dict["NAME"]), time.monotonic()
    kept_at, kept = _kept.get(name, (0.0, None))
    if kept is not None and now - kept_at < KEPT_SECONDS and 0 <= total - kept.total <= kept.total / 50:
        return kept
    ids = range(total, 0, -max(1, total // SAMPLE))
    rarity = Rarity.of((frozenset(stems(words)) for words in public_words(ids).values()), total)
    if total > 10 * SAMPLE:
        _kept[name] = (now, rarity)
    return rarity


def candidate_ids(asked: Facts, query: Query, rarity: Rarity, visible: IncidentQuerySet, viewer: User) -> set[int]:
    """Return the ids of incidents that share words or alerts; not all of them visible."""
    if not viewer.is_staff:
        followed = Subscription.objects.filter(user=viewer).order_by("-incident_id")
        return set(followed.values_list("incident_id", flat=True)[:FOLLOWED]) - {asked.id}
    if rarity.total <= SAMPLE:
        return set(Incident.objects.order_by().values_list("pk", flat=True)) - {asked.id}
    found = _by_words(query, rarity) | _by_alerts(asked)
    found.update(visible.open().order_by("-created_at").values_list("pk", flat=True)[:OPEN])
    return found - {asked.id}


def _by_words(query: Query, rarity: Rarity) -> set[int]:
    """Return those that the most telling searches found."""
    votes: Counter[int] = Counter()
    for words, terms in _searches(query, rarity):
        weight = sum(rarity.weight(word) for word in words)
        for pk in newest_with(terms, PER_WORD):
            votes[pk] += round(1000 * weight)
    return {pk for pk, _votes in votes.most_common(MOST)}


def _searches(query: Query, rarity: Rarity) -> Iterator[tuple[tuple[str, ...], Terms]]:
    """Yield rare words by their beginning, and the title's others as they are spelled, together and in pairs."""
    telling = query.by_weight(rarity)
    rare = [word for word in telling if rarity.expected(word) <= RARE][:WORDS]
    for word in rare:
        yield (word,), [(word, word.isalpha() and len(word) >= STEM)]
    common = [word for word in telling if word in query.titles and rarity.expected(word) > RARE][:PAIRED]
    whole = [tuple(common)] if len(common) > 2 else []
    alone = [(common[0],)] if len(common) == 1 and not rare else []
    left = math.inf if connection.vendor == "sqlite" else MOST_READ
    for words in (*whole, *combinations(common, 2), *alone):
        cost = sum(rarity.expected(word) for word in words)
        if cost <= left:
            left -= cost
            yield words, [(query.spelled[word], False) for word in words]


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
