"""Escalation policies over REST."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from core.api.configuration import ConfigurationViewSet
from core.api.listing import truth_of
from core.api.problems import refuse_unknown_parameters
from core.errors import Conflict
from responders.models import EscalationPolicy
from responders.serializers import EscalationPolicySerializer
from responders.services.policies import running_for

RUNNING_GO_ON = "running_go_on"
PARAMETER = OpenApiParameter(
    RUNNING_GO_ON, bool, description="Delete it although it runs for incidents: they go on with its values."
)


@extend_schema_view(destroy=extend_schema(parameters=[PARAMETER]))
class EscalationPolicyViewSet(ConfigurationViewSet):
    queryset = EscalationPolicy.objects.all()
    serializer_class = EscalationPolicySerializer

    def perform_destroy(self, instance: Any) -> None:
        """Name the incidents it runs for first."""
        refuse_unknown_parameters(self.request, {RUNNING_GO_ON})
        go_on = truth_of(RUNNING_GO_ON, self.request.query_params.get(RUNNING_GO_ON, "false"))
        if not go_on and (incidents := [f"INC-{number}" for number in running_for(instance)]):
            message = f"{instance} runs for {len(incidents)} incidents. Delete it with ?{RUNNING_GO_ON}=true."
            raise Conflict(message, code="policy_running", incidents=incidents)
        super().perform_destroy(instance)
