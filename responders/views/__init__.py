from responders.views.teams import ServiceViewSet, TeamMembersView, TeamMemberView, TeamViewSet

__all__ = ["ServiceViewSet", "TeamMemberView", "TeamMembersView", "TeamViewSet"]
