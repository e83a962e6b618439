from responders.serializers.teams import MemberSerializer, NewMemberSerializer, ServiceSerializer, TeamSerializer

__all__ = ["MemberSerializer", "NewMemberSerializer", "ServiceSerializer", "TeamSerializer"]
