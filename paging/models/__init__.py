from paging.models.alarms import AuditPass, EscalationAlarm
from paging.models.pages import Page
from paging.models.runs import EscalationRun, RoundRobin

__all__ = ["AuditPass", "EscalationAlarm", "EscalationRun", "Page", "RoundRobin"]
