from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.paging import Key, page_of
from core.api.permissions import IsAdmin, ReadOrAdmin
from core.api.schema import paged
from responders import services
from responders.models import Service, Team
from responders.serializers.teams import MemberSerializer, NewMemberSerializer, ServiceSerializer, TeamSerializer


class TeamViewSet(ConfigurationViewSet):
    queryset = Team.objects.prefetch_related("members")
    serializer_class = TeamSerializer


class ServiceViewSet(ConfigurationViewSet):
    queryset = Service.objects.all()
    serializer_class = ServiceSerializer


class TeamMembersView(IdempotentWrites, APIView):
    """The members of a team."""

    permission_classes = [ReadOrAdmin]
    orderings = {"name": [Key("name")], "id": [Key("id")]}
    default_ordering = "name"

    @extend_schema(
        operation_id="team_members_list", summary=_("List a team's members"), responses=paged(MemberSerializer)
    )
    def get(self, request: Request, team_id: int) -> Response:
        team = get_object_or_404(Team, pk=team_id)
        return page_of(team.members.all(), request, self, lambda rows: MemberSerializer(rows, many=True).data)

    @extend_schema(
        operation_id="team_members_create",
        summary=_("Add a member to a team"),
        request=NewMemberSerializer,
        responses={200: MemberSerializer, 201: MemberSerializer},
    )
    def post(self, request: Request, team_id: int) -> Response:
        team = get_object_or_404(Team, pk=team_id)
        serializer = NewMemberSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = serializer.validated_data["user"]
        is_new = services.add_member(team, user, by=request.user)
        return Response(MemberSerializer(user).data, status=http.HTTP_201_CREATED if is_new else http.HTTP_200_OK)


class TeamMemberView(IdempotentWrites, APIView):
    """A member of a team."""

    permission_classes = [IsAdmin]

    @extend_schema(operation_id="team_members_destroy", summary=_("Remove a member from a team"), responses={204: None})
    def delete(self, request: Request, team_id: int, user_id: int) -> Response:
        services.remove_member(get_object_or_404(Team, pk=team_id), user_id, by=request.user)
        return Response(status=http.HTTP_204_NO_CONTENT)
