from django.urls import path
from rest_framework.routers import SimpleRouter

from responders import views

router = SimpleRouter()
router.register("teams", views.TeamViewSet, basename="team")
router.register("services", views.ServiceViewSet, basename="service")

urlpatterns = [
    *router.urls,
    path("teams/<int:team_id>/members/", views.TeamMembersView.as_view(), name="team-members"),
    path("teams/<int:team_id>/members/<int:user_id>/", views.TeamMemberView.as_view(), name="team-member"),
]
