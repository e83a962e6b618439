from remediation.models.agents import Agent, AgentJob
from remediation.models.brakes import FreezeWindow, RuleMatch, Stop
from remediation.models.runbooks import Runbook, RunbookSecret, RunbookVersion
from remediation.models.runs import Run, RunPhase, RunTarget

__all__ = [
    "Agent",
    "AgentJob",
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
