from responders.views.calendars import ImportedCalendarViewSet
from responders.views.covering import OverrideViewSet, SwapViewSet
from responders.views.handing_over import HandoverNoteViewSet
from responders.views.policies import EscalationPolicyViewSet
from responders.views.schedules import (
    CalendarTokenView,
    OwnCalendarTokenView,
    OwnCalendarView,
    ScheduleCalendarView,
    ScheduleViewSet,
)
from responders.views.teams import ServiceViewSet, TeamMembersView, TeamMemberView, TeamViewSet

__all__ = [
    "CalendarTokenView",
    "EscalationPolicyViewSet",
    "HandoverNoteViewSet",
    "ImportedCalendarViewSet",
    "OverrideViewSet",
    "OwnCalendarTokenView",
    "OwnCalendarView",
    "ScheduleCalendarView",
    "ScheduleViewSet",
    "ServiceViewSet",
    "SwapViewSet",
    "TeamMemberView",
    "TeamMembersView",
    "TeamViewSet",
]
