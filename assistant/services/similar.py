"""Find similar incidents and likely duplicates, of those that the reader sees."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from alerts.models import AlertGroup
from alerts.models.alert import Alert, pairs_of
from assistant.likeness import Facts, Likeness, Query, Rarity, compare, stems
from assistant.services.candidates import candidate_ids, sample
from assistant.suggestions import Duplicate, Reason, Similar
from assistant.vocabulary import ReasonKind
from incidents.models import Incident, IncidentLink, IncidentQuerySet, LinkKind
from incidents.search import public_words
from responders.models import Service
from users.models import User

MOST = 5
CLOSE = 60  # of those whose words are most alike, compared in full
MAX_LABELS = 6
IGNORED_LABELS = frozenset({"severity", "priority", "level"})


def related_incidents(
    incident: Incident, viewer: User, now: dt.datetime
) -> tuple[tuple[Similar, ...], tuple[Duplicate, ...]]:
    """Return the most similar incidents that the viewer sees, and those that this one probably repeats."""
    query = Query.of(incident.title, incident.description)
    asked = _facts([incident], {})[0]
    if not query.places and not asked.groups:
        return (), ()
    rarity = sample()
    visible = Incident.objects.visible_to(viewer)
    ids = candidate_ids(asked, query, rarity, visible, viewer) - _known_duplicates(incident)
    found = _ranked(asked, query, rarity, visible, ids)
    repeated = [one for one in found if one.is_duplicate and _may_repeat(one.facts, now)][:MOST]
    taken = {one.facts.id for one in repeated}
    similar = [one for one in found if one.is_similar and one.facts.id not in taken][:MOST]
    names = _service_names(asked)
    return (
        tuple(Similar(*_shown(one), _reasons(one, asked, names)) for one in similar),
        tuple(Duplicate(*_shown(one), _reasons(one, asked, names)) for one in repeated),
    )


def _ranked(
    asked: Facts, query: Query, rarity: Rarity, visible: IncidentQuerySet, ids: Collection[int]
) -> list[Likeness]:
    """Return the likenesses, the most alike first: all by words, then the closest with their alerts and services."""
    words = {pk: frozenset(stems(found)) for pk, found in public_words(ids).items()}
    rows = list(visible.filter(pk__in=ids).order_by().only(*COLUMNS))
    plain = [compare(asked, query, _bare(row, words.get(row.pk, frozenset())), rarity) for row in rows]
    plain.sort(key=lambda one: (-one.score, -one.facts.id))
    grouped = _incidents_of_groups(asked.groups)
    close = {one.facts.id for one in plain[:CLOSE]} | (grouped & set(ids))
    full = _facts([row for row in rows if row.pk in close], words)
    found = [compare(asked, query, facts, rarity) for facts in full]
    return sorted(found, key=lambda one: (-one.score, -one.facts.id))


COLUMNS = ("pk", "title", "category_id", "created_at", "status")


def _bare(incident: Incident, words: frozenset[str]) -> Facts:
    return Facts(
        incident.pk,
        incident.title,
        incident.created_at,
        words,
        category=incident.category_id,
        is_open=incident.is_still_open,
    )


def _facts(incidents: Iterable[Incident], words: dict[int, frozenset[str]]) -> list[Facts]:
    """Return the incidents with their services, alerts' labels and groups."""
    rows = list(incidents)
    ids = [row.pk for row in rows]
    services: dict[int, set[int]] = defaultdict(set)
    for pk, service in Incident.services.through.objects.filter(incident_id__in=ids).values_list(
        "incident_id", "service_id"
    ):
        services[pk].add(service)
    labels: dict[int, set[int]] = defaultdict(set)
    for pk, said in Alert.objects.filter(incident_id__in=ids).order_by("pk").values_list("incident_id", "labels"):
        if pk is not None and len(labels[pk]) < MAX_LABELS:
            labels[pk] |= pairs_of({name: value for name, value in said.items() if name not in IGNORED_LABELS})
    groups: dict[int, set[str]] = defaultdict(set)
    for pk, key in AlertGroup.objects.filter(incident_id__in=ids).values_list("incident_id", "key"):
        if pk is not None:
            groups[pk].add(key)
    return [
        Facts(
            row.pk,
            row.title,
            row.created_at,
            words.get(row.pk, frozenset()),
            frozenset(services[row.pk]),
            row.category_id,
            frozenset(groups[row.pk]),
            frozenset(sorted(labels[row.pk])[:MAX_LABELS]),
            row.is_still_open,
        )
        for row in rows
    ]


def _incidents_of_groups(keys: Collection[str]) -> set[int]:
    if not keys:
        return set()
    found = AlertGroup.objects.filter(key__in=keys, incident__isnull=False).order_by("-pk")
    return {pk for pk in found.values_list("incident_id", flat=True)[:CLOSE] if pk is not None}


def _known_duplicates(incident: Incident) -> set[int]:
    linked = IncidentLink.objects.filter(Q(incident=incident) | Q(target=incident), kind=LinkKind.DUPLICATE_OF)
    return {pk for pair in linked.values_list("incident_id", "target_id") for pk in pair}


def _may_repeat(other: Facts, now: dt.datetime) -> bool:
    return other.is_open or now - other.at <= RECENT


RECENT = dt.timedelta(days=7)


def _shown(one: Likeness) -> tuple[int, str, str, float]:
    return one.facts.id, f"INC-{one.facts.id}", one.facts.title, one.score


def _service_names(asked: Facts) -> dict[int, str]:
    return dict(Service.objects.filter(pk__in=asked.services).values_list("pk", "name")) if asked.services else {}


def _reasons(one: Likeness, asked: Facts, names: dict[int, str]) -> tuple[Reason, ...]:
    """Return why, the strongest sign first."""
    signs, (shared, total) = one.signs, one.shared
    reasons = []
    if ReasonKind.ALERT in signs:
        reasons.append(Reason(ReasonKind.ALERT, _("The same alerts")))
    if ReasonKind.MESSAGE in signs:
        reasons.append(Reason(ReasonKind.MESSAGE, _("The same message but for its numbers")))
    if shared:
        text = _("%(shared)d of %(total)d words") % {"shared": shared, "total": total}
        reasons.append(Reason(ReasonKind.WORDS, text, f"{shared}/{total}"))
    if ReasonKind.LABELS in signs:
        reasons.append(Reason(ReasonKind.LABELS, _("Alerts with the same labels")))
    for service in sorted(asked.services & one.facts.services):
        name = names.get(service, "")
        reasons.append(Reason(ReasonKind.SERVICE, _("Same service %(service)s") % {"service": name}, name))
    if ReasonKind.CATEGORY in signs:
        reasons.append(Reason(ReasonKind.CATEGORY, _("Same category")))
    if ReasonKind.TIME in signs:
        reasons.append(Reason(ReasonKind.TIME, _("Around the same time")))
    return tuple(reasons)
