"""Escalation policies over REST."""

from core.api.configuration import ConfigurationViewSet
from responders.models import EscalationPolicy
from responders.serializers import EscalationPolicySerializer


class EscalationPolicyViewSet(ConfigurationViewSet):
    queryset = EscalationPolicy.objects.all()
    serializer_class = EscalationPolicySerializer
