"""The runs that are executed while workers are killed, and what must be true of them; inside Django."""

from collections import Counter
from itertools import count
from typing import Any

from core.errors import Conflict
from incidents.models import IncidentEvent
from incidents.services import NewIncident, open_incident, verify_all
from remediation.models import Run, RunPhase, RunTarget
from remediation.services import deciding, executing, proposing, runbooks, settling
from remediation.vocabulary import LIVE, Finding, PhaseState, RunEventKind, RunState
from users.models import Role, User

STEPS = ("1", "2")
UNCERTAIN = (PhaseState.INTERRUPTED, PhaseState.UNKNOWN)
ENDS = (RunEventKind.RUN_VERIFIED, RunEventKind.RUN_ROLLED_BACK, RunEventKind.RUN_UNKNOWN, RunEventKind.RUN_ABORTED)


class World:
    """An incident, and a runbook of two steps on the system at an address."""

    def __init__(self, address: str) -> None:
        self.admin = User.objects.create_user("chaos@bench.example", None, name="Chaos", role=Role.ADMIN)
        self.incident = open_incident(NewIncident(title="Chaos"), by=self.admin)
        self.numbers = count(1)
        self.taken = 0  # proposals on what an unsettled run holds
        self.runbook = runbooks.create(
            by=self.admin,
            name="Chaos",
            risk="a",
            parameters=[{"name": "t", "kind": "string", "pattern": "[a-z]+-[0-9]+"}],
            steps=[_step(address, step) for step in STEPS],
            cooldown_seconds=0,
            daily_cap=10_000,
            daily_cap_per_target=10_000,
        )

    def live(self) -> int:
        return Run.objects.filter(state__in=LIVE).count()

    def fill(self, most: int, kind: str) -> None:
        """Execute one more run, unless there are enough."""
        if self.live() >= most:
            return
        # failures would pause it
        type(self.runbook).objects.filter(pk=self.runbook.pk).update(failures=0, paused_at=None)
        parameters = {"t": f"{kind}-{next(self.numbers)}"}
        run = proposing.propose(self.incident, self.runbook, by=self.admin, parameters=parameters).run
        try:
            run = deciding.approve(run, by=self.admin, digest=run.digest)
            executing.execute(run, by=self.admin)
        except Conflict:  # paused meanwhile
            deciding.abort(run, by=self.admin)

    def settle(self) -> None:
        """Settle what ended unknown, as people do; before that, nothing may be proposed on its targets."""
        for run in Run.objects.unsettled():
            try:
                proposing.propose(self.incident, self.runbook, by=self.admin, parameters=run.parameters)
                self.taken += 1
            except Conflict as error:
                self.taken += error.code != "target_unsettled"
            settling.settle(run, by=self.admin, finding=Finding.ACTED, note="The storm is over.")


def _step(address: str, step: str) -> dict[str, Any]:
    place = f"{{t}}/{step}"
    return {
        "kind": "http",
        "targets": [f"{{t}}-{step}"],
        "check": {"url": f"{address}/is/{place}", "expect": {"status": [404]}},
        "act": {"method": "POST", "url": f"{address}/act/{place}", "body": {"step": step}},
        "verify": {"url": f"{address}/is/{place}", "timeout_seconds": 2},
        "roll_back": {"method": "POST", "url": f"{address}/undo/{place}"},
    }


def judge(told: dict[str, Any]) -> dict[str, Any]:
    """Hold what the rows say against what the system was asked."""
    asked: Counter[str] = Counter()
    for what, _key, number in told["asked"]:
        asked[what] += number
    done = set(told["done"])
    runs = list(Run.objects.order_by("pk"))
    events = Counter(event.data["run"] for event in IncidentEvent.objects.filter(kind__in=ENDS))
    untrue = [fault for run in runs if (fault := _fault_of(run, asked, done, events[run.pk]))]
    return {
        "doubles": sum(number > 1 for _what, _key, number in told["asked"]),
        "repeated": sum(number > 1 for number in asked.values()),
        "unended": sum(run.state in LIVE for run in runs),
        "untrue": untrue,
        "held": RunTarget.objects.filter(held_key__isnull=False).count(),
        "timeline_faults": sum(fault is not None for fault in verify_all()),
        "states": [run.state for run in runs],
        "calls": sum(asked.values()),
    }


def _fault_of(run: Run, asked: Counter[str], done: set[str], endings: int) -> str:
    """Return what is untrue of a run that ended, if anything is."""
    places = [f"{run.parameters['t']}/{step}" for step in STEPS]
    left = [place for place in places if place in done]
    acted = [place for place in places if asked[f"act {place}"]]
    is_uncertain = RunPhase.objects.filter(run=run, state__in=UNCERTAIN).exists()
    truths = {
        RunState.VERIFIED: left == places,
        RunState.ROLLED_BACK: bool(acted) and not left,
        RunState.ABORTED: not left,
        RunState.UNKNOWN: is_uncertain and bool(run.why) and not run.is_unsettled,
    }
    if not truths.get(RunState(run.state), False) or endings != 1:
        return f"run {run.pk} {run.state}: {run.why} acted {acted}, left {left}, {endings} endings"
    return ""
