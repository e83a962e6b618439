from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.permissions import IsAdmin
from remediation.agent.signing import public_key
from remediation.authentication import AgentKeyAuthentication, IsAgent, caller
from remediation.models import Agent
from remediation.serializers import agents as shapes
from remediation.services import agent_jobs, agents
from users.authentication import person

UNSTORED = {"Cache-Control": "no-store"}


class AgentViewSet(ConfigurationViewSet):
    """Programs on machines that run commands for runbooks."""

    permission_classes = [IsAdmin]
    queryset = Agent.objects.all()
    serializer_class = shapes.AgentSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse Idempotency-Key where the answer holds a key: those are never stored."""
        if self.action in ("create", "replace_key"):
            super(IdempotentWrites, self).initial(request, *args, **kwargs)
        else:
            super().initial(request, *args, **kwargs)

    @extend_schema(summary=_("Create an agent; its key is shown once"), responses={201: shapes.NewAgentSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        key = agents.new_key()
        serializer.validated_data.update(agents.key_fields(key))
        self.perform_create(serializer)
        agent: Any = serializer.instance
        return Response({**serializer.data, **_shown(agent, key)}, status=201, headers=UNSTORED)

    @extend_schema(
        operation_id="agents_key",
        summary=_("Replace an agent's key; the old one works until the new one is used, at most a day"),
        request=None,
        responses={201: shapes.AgentKeySerializer},
    )
    @action(detail=True, methods=["post"], url_path="key")
    def replace_key(self, request: Request, pk: str) -> Response:
        agent = self.get_object()
        key = agents.replace_key(agent, by=person(request))
        return Response(_shown(agent, key), status=201, headers=UNSTORED)


def _shown(agent: Agent, key: str) -> dict[str, str]:
    return {
        "key": key,
        "public_key": public_key(settings.SECRET_KEY),
        "configuration": agents.configuration(agent),
    }


class PollView(APIView):
    """Where agents ask for work."""

    authentication_classes = [AgentKeyAuthentication]
    permission_classes = [IsAgent]

    @extend_schema(
        operation_id="agents_poll",
        summary=_("Fetch the calling agent's next job"),
        request=shapes.PollSerializer,
        responses=shapes.PollAnswerSerializer,
    )
    def post(self, request: Request) -> Response:
        form = shapes.PollSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        agent = caller(request)
        agents.mark_seen(agent, **form.validated_data)
        answer = {"job": agent_jobs.fetch(agent), "poll_seconds": agent_jobs.poll_seconds(agent)}
        return Response(answer, headers=UNSTORED)


class JobResultView(APIView):
    """Where agents report."""

    authentication_classes = [AgentKeyAuthentication]
    permission_classes = [IsAgent]

    @extend_schema(
        operation_id="agents_jobs_result",
        summary=_("Report how a job of the calling agent ended; repeats have no effect"),
        request=shapes.JobResultSerializer,
        responses=shapes.JobStateSerializer,
    )
    def post(self, request: Request, job_id: int) -> Response:
        form = shapes.JobResultSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = {"exit_code": None, **form.validated_data}
        job = agent_jobs.report(caller(request), job_id, **values)
        return Response({"id": job.pk, "state": job.state})
