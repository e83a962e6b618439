"""Agents and their keys."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

from auditlog.models import LogEntry
from django.conf import settings
from django.db.models import Q

from core.actor import acting
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from remediation.agent.signing import public_key
from remediation.models import Agent
from users.audit import write
from users.models import User

OVERLAP = dt.timedelta(hours=24)  # both keys work, until the new one is used
SILENT = dt.timedelta(minutes=5)  # not heard of for longer
SEEN_STEP = dt.timedelta(seconds=15)
PREFIX = "agent_"
SHOWN = len(PREFIX) + 4


def new_key() -> str:
    return f"{PREFIX}{secrets.token_urlsafe(32)}"


def key_fields(key: str) -> dict[str, str]:
    """Return what is stored of a key."""
    return {"key_digest": digest_of(key), "key_prefix": key[len(PREFIX) : SHOWN]}


def digest_of(key: str) -> str:
    """Return what is stored of a key; random keys need no salt."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def configuration(agent: Agent) -> str:
    """Return the beginning of the agent's configuration, with the public key to pin, without the key."""
    lines = (
        f'server = "{settings.PUBLIC_URL.rstrip("/")}"',
        f"agent = {agent.pk}",
        'key_file = "/etc/incident-agent/key"',
        f'public_key = "{public_key(settings.SECRET_KEY)}"',
        'state = "/var/lib/incident-agent"',
    )
    return "\n".join(lines) + "\n"


@unit_of_work
def replace_key(agent: Agent, *, by: User) -> str:
    """Return a new key; the one in use works for a day, or until the new one is used.

    One that was never used ends at once, and so do all of a disabled agent.
    """
    agent = Agent.objects.select_for_update().get(pk=agent.pk)
    key, now = new_key(), database_now()
    if not agent.is_enabled:
        agent.old_key_digest = agent.old_key_until = None
    else:
        if not is_replacing(agent, now):
            agent.old_key_digest = agent.key_digest
        agent.old_key_until = now + OVERLAP
    for name, value in key_fields(key).items():
        setattr(agent, name, value)
    agent.save(update_fields=["key_digest", "key_prefix", "old_key_digest", "old_key_until"])
    with acting(by):
        write(agent, LogEntry.Action.UPDATE, {"key": ("", "replaced")})
    return key


def is_replacing(agent: Agent, now: dt.datetime) -> bool:
    """Return whether the old key still works, because the new one was not used yet."""
    return agent.old_key_until is not None and agent.old_key_until > now


def is_silent(agent: Agent, now: dt.datetime) -> bool:
    return agent.last_seen_at is None or agent.last_seen_at < now - SILENT


def agent_of(key: str) -> Agent | None:
    """Return the enabled agent with this key, if any; the first use of a new key ends the old one."""
    digest, now = digest_of(key), database_now()
    old: Q = Q(old_key_digest=digest, old_key_until__gt=now)
    agent = Agent.objects.filter(Q(key_digest=digest) | old, is_enabled=True).first()
    if agent is not None and agent.old_key_digest is not None and agent.key_digest == digest:
        Agent.objects.filter(pk=agent.pk, key_digest=digest).update(old_key_digest=None, old_key_until=None)
    return agent


def mark_seen(agent: Agent, *, version: str, commands: Sequence[str]) -> None:
    """Keep when an agent asked, and what it can do."""
    now = database_now()
    said = {"version": version, "commands": list(commands)}
    is_known = agent.version == version and agent.commands == said["commands"]
    if not is_known or agent.last_seen_at is None or agent.last_seen_at < now - SEEN_STEP:
        Agent.objects.filter(pk=agent.pk).update(last_seen_at=now, **said)
