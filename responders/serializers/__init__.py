from responders.serializers.policies import EscalationPolicySerializer, StepSerializer
from responders.serializers.teams import MemberSerializer, NewMemberSerializer, ServiceSerializer, TeamSerializer

__all__ = [
    "EscalationPolicySerializer",
    "MemberSerializer",
    "NewMemberSerializer",
    "ServiceSerializer",
    "StepSerializer",
    "TeamSerializer",
]
