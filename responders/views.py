"""The routes of teams and services."""

from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incident_response.exceptions import Conflict
from responders import services
from responders.models import Service, Team
from responders.serializers import MemberSerializer, NewMemberSerializer, ServiceSerializer, TeamSerializer
from users.configuration import ConfigurationViewSet
from users.idempotency import IdempotentWrites
from users.permissions import IsAdmin, ReadOrAdmin


class TeamViewSet(ConfigurationViewSet):
    """Teams."""

    queryset = Team.objects.prefetch_related("members")
    serializer_class = TeamSerializer


class ServiceViewSet(ConfigurationViewSet):
    """Services."""

    queryset = Service.objects.all()
    serializer_class = ServiceSerializer

    def perform_destroy(self, instance: Model) -> None:
        """Incidents name their services through a table of pairs, which a deletion would empty without a trace."""
        if Service.objects.filter(pk=instance.pk, incidents__isnull=False).exists():
            raise Conflict(f"{instance} is still named by incidents.", code="in_use")
        super().perform_destroy(instance)


class TeamMembersView(IdempotentWrites, APIView):
    """Who is in a team, and putting somebody in."""

    permission_classes = [ReadOrAdmin]

    @extend_schema(operation_id="team_members_list", responses=MemberSerializer(many=True))
    def get(self, request: Request, team_id: int) -> Response:
        team = get_object_or_404(Team, pk=team_id)
        return Response(MemberSerializer(team.members.order_by("name", "id"), many=True).data)

    @extend_schema(operation_id="team_members_create", request=NewMemberSerializer, responses={201: MemberSerializer})
    def post(self, request: Request, team_id: int) -> Response:
        team = get_object_or_404(Team, pk=team_id)
        serializer = NewMemberSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = serializer.validated_data["user"]
        is_new = services.add_member(team, user, by=request.user)
        return Response(MemberSerializer(user).data, status=http.HTTP_201_CREATED if is_new else http.HTTP_200_OK)


class TeamMemberView(IdempotentWrites, APIView):
    """A person's place in a team."""

    permission_classes = [IsAdmin]

    @extend_schema(operation_id="team_members_destroy", responses={204: None})
    def delete(self, request: Request, team_id: int, user_id: int) -> Response:
        services.remove_member(get_object_or_404(Team, pk=team_id), user_id, by=request.user)
        return Response(status=http.HTTP_204_NO_CONTENT)
