from typing import Any

from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer, StrictFields
from responders.models import Service, Team
from responders.services import make_only_default
from users.models import User


class MemberSerializer(serializers.ModelSerializer[User]):
    """A member of a team."""

    class Meta:
        model = User
        fields = ["id", "name"]


class TeamSerializer(CleanedModelSerializer):
    """A team with its members."""

    members = MemberSerializer(many=True, read_only=True)

    class Meta:
        model = Team
        fields = [
            *("id", "name", "description", "is_active", "is_default", "escalation_policy", "members", "created_at"),
        ]
        read_only_fields = ["created_at"]

    def save(self, **kwargs: Any) -> Any:
        team = super().save(**kwargs)
        if self.validated_data.get("is_default"):
            make_only_default(team, by=self.context["request"].user)
        return team


class NewMemberSerializer(StrictFields, serializers.Serializer[Any]):
    """Who joins a team."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.active())


class ServiceSerializer(CleanedModelSerializer):
    """A service and its team."""

    class Meta:
        model = Service
        fields = ["id", "name", "slug", "description", "team", "escalation_policy", "is_active", "created_at"]
        read_only_fields = ["created_at"]
