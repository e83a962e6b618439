"""What pages show of runs and steps."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Case, Q, When
from django.utils.translation import gettext as _

from core.db.clock import database_now
from incidents.models import Incident
from incidents.permissions import can_work_on
from remediation.guards import Refusal
from remediation.models import Run, RunbookVersion, RunTarget
from remediation.permissions import may_approve
from remediation.services import guarding
from remediation.services.deciding import stored_targets
from remediation.services.stopping import present_stop
from remediation.steps.port import Phase, Target, step_kind
from remediation.vocabulary import WAITING, Activity, PhaseWord, Risk, RunState
from users.models import User

RELATED = ("incident", "version__runbook", "proposed_by", "approved_by", "executed_by", "overridden_by", "settled_by")
MOST_OPEN = 5  # runs on an incident's page
MOST_TARGETS = 50  # of which a page says what exactly happens
LEADS = ("method", "operation", "document", "command")


def runs_visible_to(user: User) -> Any:
    return Run.objects.visible_to(user).select_related(*RELATED)


def card_of(incident: Incident, viewer: User) -> dict[str, Any]:
    """Return an incident's newest runs, those that wait for people apart, and whether the viewer may propose one."""
    may_wait = Q(state__in=WAITING, expires_at__gt=database_now()) | Q(state=RunState.UNKNOWN, settled_at=None)
    first = Run.objects.filter(incident=incident).order_by(Case(When(may_wait, then=0), default=1), "-pk")
    found = list(first.select_related(*RELATED)[: MOST_OPEN + 1])
    shown = [described(run, viewer) for run in found[:MOST_OPEN]]
    return {
        "waiting_runs": [one for one in shown if one["is_waiting"] or one["is_unsettled"]],
        "runs": [one for one in shown if not (one["is_waiting"] or one["is_unsettled"])],
        "has_more_runs": len(found) > MOST_OPEN,
        "may_propose": incident.is_still_open and can_work_on(viewer, incident.team_id),
    }


def described(run: Run, viewer: User) -> dict[str, Any]:
    """Return a run with what it waits for, and what the viewer may do about it."""
    works = can_work_on(viewer, run.incident.team_id)
    is_expired = run.state in WAITING and run.expires_at <= database_now()
    is_waiting = run.state in WAITING and not is_expired
    decides = may_approve(viewer, run.incident, risk=run.version.risk, proposer=run.proposed_by_id)
    is_idle = run.activity == Activity.NOTHING
    is_own = run.proposed_by_id == viewer.pk
    return {
        "run": run,
        "awaits": _awaited(run) if not is_expired else _("It has expired; propose it again."),
        "is_waiting": is_waiting,
        "is_live": run.state == RunState.EXECUTING or not is_idle or is_waiting,
        "may_approve": is_waiting and run.state == RunState.PROPOSED and decides,
        "may_reject": is_waiting and run.state == RunState.PROPOSED and (decides or (is_own and works)),
        "may_execute": is_waiting and run.state == RunState.APPROVED and works and is_idle,
        "may_dry_run": is_waiting and works and is_idle,
        "may_abort": works and (is_waiting or (run.state == RunState.EXECUTING and not run.is_stopping)),
        "is_unsettled": run.is_unsettled,
        "may_settle": run.is_unsettled and works,
        "is_own_of_class_b": is_own and run.version.risk == Risk.B and run.state == RunState.PROPOSED,
    }


def _awaited(run: Run) -> str:
    """Return what has to happen next; empty where nothing has."""
    if run.activity == Activity.DRY_RUN:
        return _("It is being tried without effect.")
    if run.state == RunState.PROPOSED:
        if run.version.risk == Risk.B and run.proposed_by is not None:
            return _("Waits for approval by somebody other than %(name)s.") % {"name": run.proposed_by.name}
        return _("Waits for approval.")
    if run.state == RunState.APPROVED:
        return _("Approved; waits to be executed.")
    if run.state == RunState.EXECUTING:
        return _("It ends before its next step.") if run.is_stopping else _("It is being executed.")
    if run.is_unsettled:
        return _("It holds its targets until somebody settles it.")
    return ""


def warnings_of(run: Run, now: dt.datetime) -> list[Refusal]:
    """Return what forbids a waiting run now."""
    if run.state not in WAITING:
        return []
    targets = stored_targets(run)
    return guarding.judge(run.version, run.incident, targets, is_automatic=run.is_automatic, now=now, run=run.pk)


def steps_of_run(run: Run) -> list[dict[str, Any]]:
    """Return the steps with their targets: what exactly is done to each, and what came of it."""
    targets = list(RunTarget.objects.filter(run=run).prefetch_related("phases"))
    steps = []
    for place, spec in enumerate(run.version.steps):
        of_step = [one for one in targets if one.step == place]
        rows = [
            {
                "target": one,
                "phases": [phase_shown(phase) for phase in one.phases.all()],
                "words": _rendered(spec, run.parameters, one) if number < MOST_TARGETS else [],
            }
            for number, one in enumerate(of_step)
        ]
        steps.append({**_head(spec, place), "rows": rows, "words": words_of(spec)})
    return steps


def phase_shown(phase: Any) -> dict[str, Any]:
    is_bad = phase.state in ("failed", "unknown", "interrupted")
    return {"phase": phase, "is_bad": is_bad, "label": PhaseWord(phase.phase).label}


def _rendered(spec: Mapping[str, Any], values: Mapping[str, Any], row: RunTarget) -> list[tuple[str, str]]:
    kind = step_kind(str(spec.get("kind")))
    if kind is None:
        return []
    try:
        return words_of(kind.render(spec, values, Target(row.kind, row.name, row.details)))
    except ValueError:
        return []


def steps_of_version(version: RunbookVersion) -> list[dict[str, Any]]:
    return [{**_head(spec, place), "words": words_of(spec)} for place, spec in enumerate(version.steps)]


def steps_of_preview(version: RunbookVersion, values: Mapping[str, Any], targets: Any) -> list[dict[str, Any]]:
    """Return the steps with what would be done to each target."""
    return [
        {
            **_head(spec, place),
            "rows": [
                {"target": one, "words": _rendered(spec, values, RunTarget(kind=one.kind, name=one.name))}
                for one in of_step[:MOST_TARGETS]
            ],
        }
        for place, (spec, of_step) in enumerate(zip(version.steps, targets, strict=True))
    ]


def _head(spec: Mapping[str, Any], place: int) -> dict[str, Any]:
    kind = step_kind(str(spec.get("kind")))
    return {
        "number": place + 1,
        "kind": kind.label if kind is not None else spec.get("kind"),
        "unusable": kind.why_unusable() if kind is not None else _("This kind of step is not available here."),
    }


def words_of(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each phase's name, and what it does in a line."""
    order = (Phase.DRY_RUN, Phase.CHECK, Phase.ACT, Phase.VERIFY, Phase.ROLL_BACK)
    return [(str(PhaseWord(phase).label), line(spec[phase])) for phase in order if isinstance(spec.get(phase), Mapping)]


def line(part: Mapping[str, Any]) -> str:
    """Return a phase's description in a line, what it is first."""
    leads = [str(part[name]) for name in LEADS if name in part]
    if "url" in part:
        leads = [*(leads or ["GET"]), str(part["url"])]
    return " ".join([*leads, *_pairs(part)]) or "—"


def _pairs(part: Mapping[str, Any]) -> Iterator[str]:
    for name, value in part.items():
        if name not in (*LEADS, "url"):
            yield f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def surroundings() -> dict[str, Any]:
    """Return what every page of remediation shows: the global stop."""
    return {"stop": present_stop()}
