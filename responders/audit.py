from auditlog.registry import auditlog

from responders.models import (
    EscalationPolicy,
    HandoverNote,
    ImportedCalendar,
    Membership,
    Schedule,
    ScheduleOverride,
    ScheduleVersion,
    Service,
    ShiftSwap,
    Team,
)


def register() -> None:
    """Record every save of teams, services, policies and schedules."""
    plain = Team, Membership, Service, EscalationPolicy, ScheduleVersion, ScheduleOverride, ShiftSwap, HandoverNote
    for model in plain:
        auditlog.register(model)
    auditlog.register(Schedule, exclude_fields=["revision", "changed_at"])
    # addresses of calendars are secrets
    auditlog.register(ImportedCalendar, include_fields=["schedule", "name"])
