from responders.models.calendars import CalendarToken, ImportedCalendar, ImportedShift
from responders.models.handovers import HandoverNote
from responders.models.policies import EscalationPolicy, PolicyTarget
from responders.models.schedules import (
    GapNotice,
    GapStage,
    Schedule,
    ScheduleOverride,
    ScheduleVersion,
    ShiftSwap,
    SwapState,
)
from responders.models.teams import ACTIVE, ActiveQuerySet, Membership, Service, Team

__all__ = [
    "ACTIVE",
    "ActiveQuerySet",
    "CalendarToken",
    "EscalationPolicy",
    "GapNotice",
    "GapStage",
    "HandoverNote",
    "ImportedCalendar",
    "ImportedShift",
    "Membership",
    "PolicyTarget",
    "Schedule",
    "ScheduleOverride",
    "ScheduleVersion",
    "Service",
    "ShiftSwap",
    "SwapState",
    "Team",
]
