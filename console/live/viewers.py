"""Who watches: people by their session, checked again and again."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from core.db import rows
from users.models import User


@dataclass(frozen=True)
class Viewer:
    session_key: str
    user: User

    @cached_property
    def reads_internal(self) -> bool:
        return self.user.is_admin or self.user.is_responder

    @property
    def language(self) -> str:
        return self.user.language


def load_viewers(keys: Collection[str]) -> dict[str, Viewer]:
    """Return who is signed in by each of the session keys now; dead sessions are missing."""
    sessions = {row.session_key: row.get_decoded() for row in _alive(keys)}
    ids = {key: int(data[SESSION_KEY]) for key, data in sessions.items() if str(data.get(SESSION_KEY, "")).isdigit()}
    people = rows.by_id(User, ids.values())
    found = ((key, people.get(user_id)) for key, user_id in ids.items())
    return {key: Viewer(key, user) for key, user in found if user is not None and _may_watch(user, sessions[key])}


def _alive(keys: Collection[str]) -> "QuerySet[Session]":
    return Session.objects.filter(session_key__in=sorted(set(keys)), expire_date__gt=timezone.now())


def _may_watch(user: User, session: dict[str, Any]) -> bool:
    given = str(session.get(HASH_SESSION_KEY, ""))
    known = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user.is_active and any(constant_time_compare(given, one) for one in known)
