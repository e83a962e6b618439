"""Look over all open incidents, independently of what pages people: is anybody paged who should be?

It goes in slices of an index, whatever the number of incidents, and heals by starting again what it misses.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from itertools import takewhile

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import is_database_unavailable, is_transient, unit_of_work
from core.outbound.client import Client, OutboundError
from core.server.jobs import wake
from core.severity import Severity
from core.text.sentences import Sentence
from incidents.models import EventKind, FeedCursor, Incident, IncidentEvent, Status
from paging import pages
from paging.models import AuditPass, EscalationAlarm, EscalationRun, Page
from paging.services import starting
from paging.services.choosing import policies_for
from paging.vocabulary import RunState
from responders.notices import Notice, announce
from users.models import User

log = structlog.get_logger(__name__)

NAME = "open incidents"
PAGES = "pages"
SLICE = 500
SLICES = 20  # per run
LATE = dt.timedelta(minutes=2)  # beyond that, what is due is stuck
NAMED = 5  # of each kind of finding
MAX_FINDINGS = 50
PING_EVERY = dt.timedelta(minutes=1)
TITLE = Sentence("Escalation does not work as it should")
NOT_STARTED = Sentence("%(incidents)s cannot be started: %(error)s.")
STARTED_NOW = Sentence("%(incidents)s had nobody paged although a policy fits or the severity demands it; started now.")
OVERDUE = Sentence("Steps for %(incidents)s are overdue by more than 2 minutes; is a worker running?")
OVERDUE_BECAUSE = Sentence("Steps for %(incidents)s are overdue by more than 2 minutes: %(why)s")
STUCK = Sentence("Escalations of %(incidents)s were stuck; they go on now.")
UNREAD = Sentence("Events since %(time)s have not been read for escalation.")
UNDELIVERED = Sentence("%(count)s pages of %(incidents)s had no delivery; handed over again.")
OPENING = (EventKind.CREATED, EventKind.REOPENED, EventKind.RESTORED)


def audit(now: dt.datetime) -> int:
    """Look at the next open incidents, and ping the outside watch when all was well; return how many were seen."""
    seen = 0
    for _ in range(SLICES):
        looked, is_done = _look()
        seen += looked
        if is_done:
            break
    ping_outside_watch()
    return seen


@unit_of_work
def _look() -> tuple[int, bool]:
    """Look at one slice; return how many incidents, and whether the pass is complete."""
    now = database_now()
    progress = _claim(NAME)
    if progress is None:
        return 0, True
    if progress.started_at is None:
        progress.started_at, progress.findings, progress.checked = now, _at_once(now), 0
    incidents = list(_next(progress, now))
    found = _unattended(incidents, now)
    progress.findings = [*progress.findings, *found][:MAX_FINDINGS]
    progress.checked += len(incidents)
    is_done = len(incidents) < SLICE
    if is_done:
        _finish(progress, now)
    else:
        progress.position, progress.position_at = incidents[-1].pk, incidents[-1].created_at
    progress.save()
    return len(incidents), is_done


def _claim(name: str) -> AuditPass | None:
    """Return the pass, locked; None while another process is at it."""
    AuditPass.objects.get_or_create(name=name)
    return rows.lock_available(AuditPass.objects.filter(name=name)).first()


def _next(progress: AuditPass, now: dt.datetime) -> QuerySet[Incident]:
    found = Incident.objects.filter(is_open=True, created_at__lt=now - LATE).order_by("created_at", "pk")
    if progress.position_at is not None:
        later = Q(created_at__gt=progress.position_at) | Q(created_at=progress.position_at, pk__gt=progress.position)
        found = found.filter(later, created_at__gte=progress.position_at)
    columns = ("status", "severity", "team", "created_at", "clock_started_at", "deleted_at", "reopen_count")
    return found.only(*columns)[:SLICE]


def _finish(progress: AuditPass, now: dt.datetime) -> None:
    progress.last_findings, progress.last_checked, progress.finished_at = progress.findings, progress.checked, now
    progress.started_at, progress.position, progress.position_at = None, 0, None
    for finding in progress.last_findings:
        log.warning("audit_finding", finding=finding)
    if progress.last_findings:
        announce(_notice(progress.last_findings, now))


def _notice(findings: Sequence[str], now: dt.datetime) -> Notice:
    return Notice(
        key=f"audit-{now:%Y-%m-%d-%H}",
        kind="audit",
        title=TITLE.say(),
        body="\n".join(findings[:NAMED]),
        users=tuple(User.objects.admins().order_by("pk").values_list("pk", flat=True)),
        path="/admin/",
        is_urgent=True,
    )


# --- What is looked for -----------------------------------------------------------------------------------------------


def _unattended(incidents: Sequence[Incident], now: dt.datetime) -> list[str]:
    """Find incidents that wait for somebody although nobody is paged, and start their escalation."""
    waiting = {one.pk: one for one in incidents if one.status == Status.OPEN and one.deleted_at is None}
    attended = set(EscalationRun.objects.filter(open_key__in=waiting).values_list("open_key", flat=True))
    attended |= set(
        EscalationAlarm.objects.filter(incident__in=waiting, cleared_at__isnull=True).values_list("incident", flat=True)
    )
    missing = [one for number, one in waiting.items() if number not in attended]
    if not missing:
        return []
    policies = policies_for(missing)
    wanted = [one for one in missing if policies[one.pk] is not None or one.severity >= Severity.HIGH]
    imported = _imported(wanted)
    lost = [one.pk for one in wanted if one.pk not in imported and one.clock_started_at < now - LATE]
    if not lost:
        return []
    failed = _start(lost, now)
    found = [NOT_STARTED.say(incidents=_named(failed), error=next(iter(failed.values())))] if failed else []
    started = [number for number in lost if number not in failed]
    return [*found, *([STARTED_NOW.say(incidents=_named(started))] if started else [])]


def _start(lost: Sequence[int], now: dt.datetime) -> dict[int, str]:
    """Start escalations, one by one if that fails together; return why some cannot be."""
    try:
        starting.start_for(lost, now)
        return {}
    except Exception as error:
        if is_database_unavailable(error) or is_transient(error):
            raise
        if len(lost) == 1:
            log.error("escalation_not_started", incident=lost[0], exc_info=error)
            return {lost[0]: f"{type(error).__name__}: {error}"[:300]}
    return {number: why for one in lost for number, why in _start([one], now).items()}


def _imported(incidents: Sequence[Incident]) -> set[int]:
    """Return those whose last opening was imported, which pages nobody."""
    openings = IncidentEvent.objects.filter(incident__in=incidents, kind__in=OPENING).order_by("incident_id", "seq")
    last = dict(openings.values_list("incident_id", "feed_seq"))
    return {number for number, place in last.items() if place == 0}


def _at_once(now: dt.datetime) -> list[str]:
    """Look at what has an index of its own, once per pass."""
    return [*_overdue(now), *_stuck(now), *_unread(now), *_undelivered(now), *pages.findings(now)]


def _overdue(now: dt.datetime) -> list[str]:
    late = EscalationRun.objects.due(now - LATE).values_list("incident_id", "failure")[: NAMED + 1]
    found = list(late)
    if not found:
        return []
    wake("perform_steps")
    why = next((failure for _, failure in found if failure), "")
    late_ones = _named([number for number, _ in found])
    return [OVERDUE_BECAUSE.say(incidents=late_ones, why=why) if why else OVERDUE.say(incidents=late_ones)]


def _stuck(now: dt.datetime) -> list[str]:
    """Find running escalations with nothing to come, which none should be, and have them go on."""
    stuck = EscalationRun.objects.filter(state=RunState.RUNNING, next_step_at__isnull=True, started_at__lt=now - LATE)
    found = list(stuck.values_list("pk", "incident_id")[:SLICE])
    if not found:
        return []
    EscalationRun.objects.filter(pk__in=[pk for pk, _ in found], next_step_at__isnull=True).update(next_step_at=now)
    wake("perform_steps")
    return [STUCK.say(incidents=_named([number for _, number in found]))]


def _unread(now: dt.datetime) -> list[str]:
    """Find whether the feed is not followed."""
    cursor = FeedCursor.objects.filter(name=starting.READER).values_list("position", flat=True).first() or 0
    first = IncidentEvent.objects.feed_after(cursor).values_list("received_at", flat=True).first()
    if first is None or first > now - LATE:
        return []
    wake("start_escalations")
    return [UNREAD.say(time=f"{first:%Y-%m-%d %H:%M:%S} UTC")]


def _undelivered(now: dt.datetime) -> list[str]:
    """Find pages that nothing delivers, and hand them over again."""
    progress = _claim(PAGES)
    if progress is None:
        return []
    later = Page.objects.filter(pk__gt=progress.position).select_related("incident").order_by("pk")
    new = list(takewhile(lambda page: page.created_at < now - LATE, later[: SLICE * SLICES]))
    if not new:
        return []
    missing = pages.undelivered([page for page in new if page.answered_at is None and page.cancelled_at is None])
    lost = [page for page in new if page.pk in missing]
    pages.hand_over(lost)
    progress.position, progress.finished_at = new[-1].pk, now
    progress.save(update_fields=["position", "finished_at"])
    if not lost:
        return []
    return [UNDELIVERED.say(count=len(lost), incidents=_named([page.incident_id for page in lost]))]


def _named(incident_ids: Collection[int]) -> str:
    ids = list(dict.fromkeys(incident_ids))
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(f"INC-{number}" for number in ids[:NAMED]) + more


# --- Who watches the audit --------------------------------------------------------------------------------------------


def ping_outside_watch() -> bool:
    """Request DEADMAN_URL, at most once a minute, if a pass ended lately and found nothing."""
    if not settings.DEADMAN_URL:
        return False
    now = database_now()
    last = AuditPass.objects.filter(name=NAME, finished_at__gt=now - LATE).first()
    if last is None or last.last_findings or (last.pinged_at is not None and last.pinged_at > now - PING_EVERY):
        return False
    mine = AuditPass.objects.filter(name=NAME, pinged_at=last.pinged_at)
    if not mine.update(pinged_at=now):
        return False
    try:
        answer = Client(is_trusted=True, attempts=2).request("GET", settings.DEADMAN_URL)
    except OutboundError as error:
        log.warning("deadman_not_pinged", error=str(error))
        return False
    if answer.status >= 400:
        log.warning("deadman_not_pinged", status=answer.status)
    return answer.status < 400


def last_pass() -> AuditPass | None:
    """Return the audit as it stands: the last complete pass and what it found."""
    return AuditPass.objects.filter(name=NAME).first()
