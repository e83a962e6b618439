from remediation.models.brakes import FreezeWindow, RuleMatch, Stop
from remediation.models.runbooks import Runbook, RunbookSecret, RunbookVersion
from remediation.models.runs import Run, RunPhase, RunTarget

__all__ = [
    "FreezeWindow",
    "RuleMatch",
    "Run",
    "RunPhase",
    "RunTarget",
    "Runbook",
    "RunbookSecret",
    "RunbookVersion",
    "Stop",
]
