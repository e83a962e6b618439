"""Builders of people for tests."""

from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import get_hasher, make_password
from rest_framework.test import APIClient

from users.models import Role, User

PASSWORD = "correct horse battery staple"

_numbers = count(1)


@cache
def _hash_of(password: str, algorithm: str) -> str:
    """A password's hash, computed once per process: hashing is slow on purpose."""
    return make_password(password, hasher=algorithm)


def make_user(
    *,
    role: Role = Role.REPORTER,
    email: str | None = None,
    name: str | None = None,
    password: str = PASSWORD,
    **fields: Any,
) -> User:
    """A saved user whose password is PASSWORD; address and name are made up where none is given."""
    number = next(_numbers)
    return User.objects.create(
        email=email or f"{role}{number}@example.com",
        name=name or f"{role.label} {number}",
        role=role,
        password=_hash_of(password, get_hasher().algorithm),
        **fields,
    )


def make_reporter(**fields: Any) -> User:
    """Somebody who reports incidents."""
    return make_user(role=Role.REPORTER, **fields)


def make_responder(**fields: Any) -> User:
    """Somebody who works on incidents; a member of no team yet."""
    return make_user(role=Role.RESPONDER, **fields)


def make_admin(**fields: Any) -> User:
    """An administrator."""
    return make_user(role=Role.ADMIN, **fields)


def client_of(user: User) -> APIClient:
    """An API client that is signed in as the user, past the credentials."""
    client = APIClient()
    client.force_authenticate(user)
    return client
