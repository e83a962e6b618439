"""Load what the guards decide from, and refuse what they forbid."""

import datetime as dt
import re
from collections import defaultdict
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from core.errors import Conflict, PermissionRefused
from core.text.sentences import shown
from incidents.actors import By, person
from incidents.models import Incident
from remediation.binding import target_key
from remediation.guards import DAY, Facts, Limits, Refusal, StepSize, TargetHistory, Window, freezes, refusals
from remediation.models import FreezeWindow, Run, Runbook, RunbookVersion, RunPhase, RunTarget, Stop
from remediation.services.resolving import Bound
from remediation.steps.port import Phase, step_kind
from remediation.vocabulary import Risk, RunState
from responders.models import Service

WORD = re.compile(r"[-a-z0-9_]+")  # what may be a slug

AUTOMATIC_COOLDOWN = 300  # seconds: one rule must not change one target after another
HELD = frozenset({"target_busy", "target_unsettled"})


def judge(
    version: RunbookVersion, incident: Incident, bound: Bound, *, is_automatic: bool, now: dt.datetime, run: int
) -> list[Refusal]:
    """Return what forbids a stored run now."""
    runbook = Runbook.objects.get(pk=version.runbook_id)
    stop = Stop.objects.filter(active=1).first()
    found = windows()
    teams, services = concerned(incident, bound, found)
    of_runbook = Run.objects.filter(runbook=runbook, started_at__gt=now - DAY).exclude(pk=run)
    facts = Facts(
        limits=_limits(version, is_automatic=is_automatic),
        steps=_sizes(version, bound),
        targets=_histories(bound, version.cooldown_seconds, now, run),
        runs_today=of_runbook.count(),
        last_run_at=_last_run_at(version, run),
        stopped_because=stop.reason if stop is not None else None,
        paused_because=runbook.paused_because if runbook.paused_at is not None else None,
        is_enabled=runbook.is_enabled,
        is_current=runbook.current_id == version.pk,
        is_open=incident.is_still_open and incident.deleted_at is None,
        is_restricted=incident.is_restricted,
        is_automatic=is_automatic,
        teams=teams,
        services=services,
        windows=found,
    )
    return refusals(facts, now)


def require(found: list[Refusal], *, is_overridden: bool) -> None:
    """Raise Conflict with the gravest refusal's code and all `reasons`, but for a freeze that was overridden."""
    left = [refusal for refusal in found if not (refusal.is_freeze and is_overridden)]
    if left:
        reasons = [{"code": refusal.code, "text": shown(refusal.text)} for refusal in left]
        raise Conflict(" ".join(reason["text"] for reason in reasons), code=left[0].code, reasons=reasons)


def require_settled(found: list[Refusal]) -> None:
    """Raise Conflict where a run that ended unknown holds a target: nothing is even proposed there."""
    require([one for one in found if one.code == "target_unsettled"], is_overridden=False)


def require_free(found: list[Refusal]) -> None:
    """Raise Conflict where another run holds a target."""
    require([one for one in found if one.code in HELD], is_overridden=False)


def override(run: Run, reason: str, *, by: By) -> bool:
    """Set an administrator's reason to run during a freeze; return whether there is one. Raises PermissionRefused."""
    if reason.strip():
        user = person(by)
        if user is None or not user.is_admin:
            raise PermissionRefused(_("Only administrators can override a change freeze."))
        run.override_reason, run.overridden_by = reason.strip(), user
    return bool(run.override_reason)


def _limits(version: RunbookVersion, *, is_automatic: bool) -> Limits:
    by_itself = AUTOMATIC_COOLDOWN if is_automatic and version.risk == Risk.A else 0
    return Limits(
        runbook_cooldown=by_itself if version.runbook_cooldown is None else version.runbook_cooldown,
        cooldown_seconds=version.cooldown_seconds,
        daily_cap=version.daily_cap,
        daily_cap_per_target=version.daily_cap_per_target,
        max_targets=version.max_targets,
        max_percent=version.max_percent,
    )


def _last_run_at(version: RunbookVersion, run: int) -> dt.datetime | None:
    """Return when another run of the runbook started last, but those that provably did nothing."""
    acted = RunPhase.objects.filter(run=OuterRef("pk"), phase=Phase.ACT, did_nothing=False)
    others = Run.objects.filter(runbook=version.runbook_id, started_at__isnull=False).exclude(pk=run)
    found = others.filter(Q(state=RunState.EXECUTING) | Exists(acted)).order_by("-started_at")
    return found.values_list("started_at", flat=True).first()


def _sizes(version: RunbookVersion, bound: Bound) -> list[StepSize]:
    sizes = []
    for step, targets, population in zip(version.steps, bound.targets, bound.populations, strict=True):
        kind = step_kind(step["kind"])
        sizes.append(StepSize(len(targets), population, kind.why_unusable() if kind is not None else ""))
    return sizes


def _histories(bound: Bound, cooldown: int, now: dt.datetime, run: int) -> list[TargetHistory]:
    names = {target_key(one): one.name for of_step in bound.targets for one in of_step}
    rows = RunTarget.objects.filter(key__in=names).exclude(run=run)
    acted = RunPhase.objects.filter(target=OuterRef("pk"), phase=Phase.ACT, did_nothing=False)
    since = now - max(DAY, dt.timedelta(seconds=cooldown))
    started: defaultdict[str, dict[int, dt.datetime]] = defaultdict(dict)
    # once per run, however many of its steps change the target
    for key, of_run, at in rows.filter(Exists(acted), started_at__gt=since).values_list("key", "run", "started_at"):
        if at is not None:
            started[key][of_run] = at
    held = {row.key: row.run for row in rows.filter(held_key__isnull=False).select_related("run")}
    return [
        TargetHistory(name, sorted(started[key].values(), reverse=True), **_holder(held.get(key)))
        for key, name in names.items()
    ]


def _holder(run: Run | None) -> dict[str, Any]:
    if run is None:
        return {}
    return {"unsettled": run.pk} if run.is_unsettled else {"is_held": True}


def freeze_of(incident: Incident, bound: Bound, now: dt.datetime) -> Refusal | None:
    """Return a change freeze that holds for a run, if one does."""
    found = [window for window in windows() if window.holds_at(now)]
    return next(freezes(found, *concerned(incident, bound, found), now), None)


def concerned(incident: Incident, bound: Bound, found: list[Window]) -> tuple[frozenset[int], frozenset[int]]:
    """Return the teams and services of the incident, and those windows' services that the run names, with their teams.

    A run names a service by a parameter's value, or by a word of a target's name, that is its slug.
    """
    of_incident = dict(incident.services.values_list("pk", "team"))
    teams, services = {incident.team_id, *of_incident.values()}, {*of_incident}
    named = Q(pk__in={one for window in found for one in window.services})
    named |= Q(team__in={one for window in found for one in window.teams})
    words = _words_of(bound)
    for pk, slug, team in Service.objects.filter(named).values_list("pk", "slug", "team"):
        if slug.casefold() in words:
            services.add(pk)
            teams.add(team)
    return frozenset(team for team in teams if team is not None), frozenset(services)


def _words_of(bound: Bound) -> set[str]:
    values = {value.casefold() for value in bound.values.values() if isinstance(value, str)}
    names = (target.name.casefold() for of_step in bound.targets for target in of_step)
    return values.union(*(WORD.findall(name) for name in names))


def windows() -> list[Window]:
    """Return all change freezes."""
    return [window_of(row) for row in FreezeWindow.objects.prefetch_related("teams", "services")]


def window_of(row: FreezeWindow) -> Window:
    return Window(
        name=row.name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        is_weekly=row.is_weekly,
        zone=row.time_zone,
        teams=frozenset(team.pk for team in row.teams.all()),
        services=frozenset(service.pk for service in row.services.all()),
    )
