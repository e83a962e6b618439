"""Rank what probably caused an incident, each hypothesis with the rows that speak for it."""

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.models import ChangeEvent
from assistant.correlation import AFTER, BEFORE, ChangeFacts, Ranked, Trouble, rank_changes
from assistant.likeness import stems
from assistant.services.gathering import Known
from assistant.services.log_causes import log_causes
from assistant.suggestions import Cause, Evidence, Similar
from assistant.vocabulary import EvidenceKind
from core.text.sentences import age
from incidents.models import EventKind, Incident, IncidentEvent, IncidentLink, LinkKind
from incidents.search import tokens
from reviews.models import Factor, Review
from users.models import User

MOST = 5
MOST_CHANGES = 200
MOST_DETAILS = 500  # characters
CLOSE = 0.45  # score of a similar incident whose end is worth telling
OF_SIMILAR = 0.6  # how sure its score makes us
QUOTED = 300  # characters
FIRST_ALERT = 0.35
APART = dt.timedelta(seconds=30)


def causes_of(known: Known, viewer: User, similar: Sequence[Similar]) -> tuple[Cause, ...]:
    """Return hypotheses for staff, the surest first; none where nothing speaks for any."""
    found = [
        *_from_changes(known),
        *log_causes(known),
        *_from_similar(viewer, similar),
        *_from_alerts(known),
    ]
    return tuple(sorted(found, key=lambda cause: (-cause.confidence, cause.id))[:MOST])


def _from_changes(known: Known) -> Iterator[Cause]:
    begin, end = known.start - BEFORE, known.start + AFTER
    recent = ChangeEvent.objects.filter(occurred_at__gte=begin, occurred_at__lte=end).select_related("service")
    ordered = recent.order_by("-occurred_at", "-id")
    rows = {change.pk: change for change in ordered[:MOST_CHANGES]}
    if len(rows) == MOST_CHANGES and known.services:  # others must not crowd out its own
        rows |= {change.pk: change for change in ordered.filter(service__in=known.services)[:MOST_CHANGES]}
    names = frozenset(frozenset(stems(tokens.split_words(name))) for name in known.service_names)
    services = frozenset(service.pk for service in known.services)
    trouble = Trouble(known.start, services, names - {frozenset()}, known.words)
    for ranked in rank_changes(trouble, [_change_facts(change) for change in rows.values()]):
        change = rows[ranked.change.id]
        evidence = Evidence(EvidenceKind.CHANGE, change.pk, change.summary)
        yield Cause(f"cause-change-{change.pk}", _told(ranked, change), ranked.confidence, (evidence,))


def _change_facts(change: ChangeEvent) -> ChangeFacts:
    details = " ".join(map(str, change.details.values())) if isinstance(change.details, dict) else ""
    return ChangeFacts(
        change.pk, change.summary, change.occurred_at, change.service_id, f"{change.origin} {details[:MOST_DETAILS]}"
    )


def _told(ranked: Ranked, change: ChangeEvent) -> str:
    facts = {
        "summary": change.summary,
        "lead": lead_text(ranked.lead),
        "service": change.service.name if change.service is not None else "",
        "words": ", ".join(ranked.words),
    }
    if ranked.lead < dt.timedelta():
        return _("The change “%(summary)s”, recorded just after the start.") % facts
    if ranked.is_same_service and change.service is not None:
        return _("The change “%(summary)s” to %(service)s, %(lead)s before the start.") % facts
    if ranked.words:
        return _("The change “%(summary)s”, %(lead)s before the start; both speak of %(words)s.") % facts
    return _("The change “%(summary)s”, %(lead)s before the start.") % facts


def lead_text(lead: dt.timedelta) -> str:
    """Return a duration such as 3 h 12 min in the active language."""
    minutes = max(0, round(lead / dt.timedelta(minutes=1)))
    hours, rest = divmod(minutes, 60)
    return age(f"{hours} h {rest} min" if hours else f"{rest} min")


def _from_similar(viewer: User, similar: Sequence[Similar]) -> Iterator[Cause]:
    """Yield what is known of how similar incidents came about, or ended."""
    close = [one for one in similar if one.score >= CLOSE][:3]
    if not close:
        return
    ids = [one.incident for one in close]
    factors: dict[int, Factor] = {}
    reviews = Review.objects.visible_to(viewer).filter(incident__in=ids)
    for factor in Factor.objects.filter(review__in=reviews).select_related("review").order_by("-position", "-id"):
        factors[factor.review.incident_id] = factor
    ends = _ends_of([pk for pk in ids if pk not in factors])
    for one in close:
        confidence = round(one.score * OF_SIMILAR, 3)
        facts = {"reference": one.reference}
        evidence = Evidence(EvidenceKind.INCIDENT, one.incident, one.title)
        if one.incident in factors:
            told = _("As in %(reference)s, whose review names: “%(text)s”")
            text = told % {**facts, "text": factors[one.incident].text[:QUOTED]}
            yield Cause(f"cause-similar-{one.incident}", text, confidence, (evidence,), one.incident)
        elif one.incident in ends:
            event = ends[one.incident]
            text = _("As in %(reference)s, which was resolved with: “%(text)s”") % {
                **facts,
                "text": event.body[:QUOTED],
            }
            rows = (evidence, Evidence(EvidenceKind.EVENT, event.pk, event.body[:QUOTED]))
            yield Cause(f"cause-similar-{one.incident}", text, confidence, rows, one.incident)


def _ends_of(ids: Sequence[int]) -> dict[int, IncidentEvent]:
    """Return the last note with which each was resolved, but for duplicates, whose notes say only that."""
    duplicates = IncidentLink.objects.filter(incident__in=ids, kind=LinkKind.DUPLICATE_OF).values("incident")
    events = IncidentEvent.objects.filter(incident__in=ids, kind=EventKind.RESOLVED).exclude(body="")
    events = events.exclude(incident__in=duplicates)
    noted = {event.incident_id: event for event in events.filter(redacted_at__isnull=True).order_by("seq")}
    ended = set(Incident.objects.filter(pk__in=noted, is_open=False).values_list("pk", flat=True))
    return {pk: event for pk, event in noted.items() if pk in ended}


def _from_alerts(known: Known) -> Iterator[Cause]:
    """Yield the alert that came first, where others followed."""
    if len(known.alerts) < 2:
        return
    first, second = known.alerts[:2]
    if second.starts_at - first.starts_at < APART:
        return
    others = len(known.alerts) - 1
    text = ngettext(
        "The alert “%(title)s” came first, %(lead)s before %(others)d other.",
        "The alert “%(title)s” came first, %(lead)s before %(others)d others.",
        others,
    ) % {"title": first.title, "lead": lead_text(second.starts_at - first.starts_at), "others": others}
    evidence = tuple(Evidence(EvidenceKind.ALERT, alert.pk, alert.title) for alert in (first, second))
    yield Cause(f"cause-alert-{first.pk}", text, FIRST_ALERT, evidence)
