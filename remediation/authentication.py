"""Authenticate agents by their keys."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from remediation.models import Agent
from remediation.services.agents import agent_of


class AgentKeyAuthentication(BaseAuthentication):
    """`Authorization: Agent <key>`; `request.auth` is the agent."""

    keyword = b"agent"

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Agent] | None:
        """Return the agent; None for other kinds of header."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != self.keyword:
            return None
        agent = agent_of(parts[1].decode("latin-1")) if len(parts) == 2 else None
        if agent is None:
            raise AuthenticationFailed("The key is not that of an enabled agent.", code="key_not_valid")
        return AnonymousUser(), agent

    def authenticate_header(self, request: Request) -> str:
        return "Agent"


class IsAgent(BasePermission):
    message = "Only agents can do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Agent)


class AgentKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An agent's key from `agents/`."""

    target_class = AgentKeyAuthentication
    name = "agentKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Authorization: Agent <key>`, for agents on machines; created at `agents/`.",
        }


def caller(request: Request) -> Agent:
    """Return the agent that calls."""
    agent = request.auth
    assert isinstance(agent, Agent)  # noqa: S101 (for the type checker)
    return agent
