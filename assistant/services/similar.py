"""Find similar incidents and likely duplicates, of those that the reader sees."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from django.db.models import Min, Q
from django.utils.translation import gettext as _

from alerts.models import AlertGroup
from alerts.models.alert import Alert, pairs_of
from assistant.likeness import Comparison, Facts, Likeness, Query, stems
from assistant.services.candidates import candidate_ids, sample
from assistant.suggestions import Duplicate, Reason, Similar
from assistant.vocabulary import ReasonKind
from incidents.models import Incident, IncidentLink, IncidentQuerySet, LinkKind
from incidents.search import public_words
from incidents.vocabulary import OPEN_STATUSES
from responders.models import Service
from users.models import User

MOST = 5
CLOSE = 40  # of those whose words are most alike, and of the recent among them, compared in full
MAX_LABELS = 6
MOST_GROUPS = 500  # of alerts: a storm has one, a silly grouping one an alert
IGNORED_LABELS = frozenset({"severity", "priority", "level"})


def related_incidents(
    incident: Incident, viewer: User, now: dt.datetime
) -> tuple[tuple[Similar, ...], tuple[Duplicate, ...]]:
    """Return the most similar incidents that the viewer sees, and those that this one probably repeats."""
    query = Query.of(incident.title, incident.description)
    facts = Facts(incident.pk, incident.title, incident.created_at, category=incident.category_id)
    [asked] = _in_full([facts])
    if not query.words and not asked.groups:
        return (), ()
    rarity = sample()
    visible = Incident.objects.visible_to(viewer)
    ids = candidate_ids(asked, query, rarity, visible, viewer) - _known_duplicates(incident)
    found = _ranked(Comparison(asked, query, rarity), visible, ids, now)
    repeated = [one for one in found if one.is_duplicate and _may_repeat(one.facts, now)][:MOST]
    taken = {one.facts.id for one in repeated}
    similar = [one for one in found if one.is_similar and one.facts.id not in taken][:MOST]
    names = _service_names(asked)
    return (
        tuple(Similar(*_shown(one), _reasons(one, asked, names)) for one in similar),
        tuple(Duplicate(*_shown(one), _reasons(one, asked, names)) for one in repeated),
    )


def _ranked(
    comparison: Comparison, visible: IncidentQuerySet, ids: Collection[int], now: dt.datetime
) -> list[Likeness]:
    """Return the likenesses, the most alike first: all by words, then the closest with their alerts and services."""
    words = {pk: frozenset(stems(found)) for pk, found in public_words(ids).items()}
    rows = [
        Facts(pk, title, at, words.get(pk, frozenset()), category=category, is_open=status in OPEN_STATUSES)
        for pk, title, at, category, status in visible.filter(pk__in=ids).order_by().values_list(*COLUMNS)
    ]
    plain = [comparison.compare(row) for row in rows]
    plain.sort(key=lambda one: (-one.score, -one.facts.id))
    grouped = _incidents_of_groups(comparison.asked.groups)
    recent = [one for one in plain if _may_repeat(one.facts, now)]
    close = {one.facts.id for one in (*plain[:CLOSE], *recent[:CLOSE])} | (grouped & set(ids))
    found = [
        comparison.compare(facts)
        for facts in _in_full([row for row in rows if row.id in close], comparison.asked.groups)
    ]
    return sorted(found, key=lambda one: (-one.score, -one.facts.id))


COLUMNS = ("pk", "title", "created_at", "category_id", "status")


def _in_full(rows: Sequence[Facts], of: Collection[str] | None = None) -> list[Facts]:
    """Return the facts with services, the first alert's labels, and alerts' groups, of those asked for if any are."""
    ids = [row.id for row in rows]
    services: dict[int, set[int]] = defaultdict(set)
    through = Incident.services.through.objects.filter(incident_id__in=ids)
    for pk, service in through.values_list("incident_id", "service_id"):
        services[pk].add(service)
    labels: dict[int, set[int]] = defaultdict(set)
    firsts = Alert.objects.filter(incident_id__in=ids).order_by().values("incident_id").annotate(first=Min("pk"))
    alerts = Alert.objects.filter(pk__in=[row["first"] for row in firsts])
    for pk, said in alerts.values_list("incident_id", "labels"):
        if pk is not None:
            labels[pk] = pairs_of({name: value for name, value in said.items() if name not in IGNORED_LABELS})
    groups: dict[int, set[str]] = defaultdict(set)
    latest = AlertGroup.objects.filter(incident_id__in=ids).order_by("-pk")
    for pk, key in (latest if of is None else latest.filter(key__in=of)).values_list("incident_id", "key")[
        :MOST_GROUPS
    ]:
        if pk is not None:
            groups[pk].add(key)
    return [
        replace(
            row,
            services=frozenset(services[row.id]),
            groups=frozenset(groups[row.id]),
            labels=frozenset(sorted(labels[row.id])[:MAX_LABELS]),
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
