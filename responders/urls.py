from django.urls import include, path
from rest_framework.routers import SimpleRouter

from responders import views

router = SimpleRouter()
router.register("teams", views.TeamViewSet, basename="team")
router.register("services", views.ServiceViewSet, basename="service")
router.register("schedules", views.ScheduleViewSet, basename="schedule")
router.register("shift-swaps", views.SwapViewSet, basename="shift-swap")
router.register("escalation-policies", views.EscalationPolicyViewSet, basename="escalation-policy")

of_schedule = SimpleRouter()
of_schedule.register("calendars", views.ImportedCalendarViewSet, basename="schedule-imported-calendar")
of_schedule.register("handover-notes", views.HandoverNoteViewSet, basename="schedule-handover-note")
of_schedule.register("overrides", views.OverrideViewSet, basename="schedule-override")

urlpatterns = [
    *router.urls,
    path("teams/<int:team_id>/members/", views.TeamMembersView.as_view(), name="team-members"),
    path("teams/<int:team_id>/members/<int:user_id>/", views.TeamMemberView.as_view(), name="team-member"),
    path("schedules/<int:schedule_id>/", include(of_schedule.urls)),
    path("schedules/<int:pk>/calendar.ics", views.ScheduleCalendarView.as_view(), name="schedule-calendar"),
    path("schedules/<int:pk>/calendar-token/", views.CalendarTokenView.as_view(), name="schedule-calendar-token"),
    path("me/shifts.ics", views.OwnCalendarView.as_view(), name="own-calendar"),
    path("me/calendar-token/", views.OwnCalendarTokenView.as_view(), name="own-calendar-token"),
]
