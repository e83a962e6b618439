"""Agents for tests, and what they ask of the server."""

from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from remediation.models import Agent
from remediation.services.agents import key_fields, new_key


def make_agent(name: str = "web-1", **fields: Any) -> tuple[Agent, str]:
    """Make an agent that has just been heard of, and its key."""
    key = new_key()
    values = {"last_seen_at": timezone.now(), "commands": ["restart-web", "check-web"], **fields}
    return Agent.objects.create(name=name, **key_fields(key), **values), key


def agent_client(key: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Agent {key}")
    return client


def poll(key: str, commands: tuple[str, ...] = ("restart-web", "check-web")) -> Any:
    return agent_client(key).post("/api/v1/agents/poll/", {"version": "1.0", "commands": list(commands)})


def report(key: str, job: int, **result: Any) -> Any:
    return agent_client(key).post(f"/api/v1/agents/jobs/{job}/result/", {"state": "done", "exit_code": 0, **result})
