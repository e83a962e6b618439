"""Identify callers cheaply, before their request is received."""

import io
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.settings import api_settings

from core.api.clients import client_address
from core.api.clients import network_of as network_of_address
from core.db.outages import outages, unavailable
from core.errors import NotSignedIn, PermissionRefused
from core.server.bodies import MEGABYTE, SMALL_BYTES, Budget, Scope
from core.server.bridge import build_environ

# Further classes of authentication, asked before the API's.
more_methods: list[Any] = []
# A quarter of it per network.
strangers_budget = Budget(32 * MEGABYTE, cuts_off=True)
asking = ThreadPoolExecutor(2, thread_name_prefix="asking")


def network_of(scope: Scope) -> str:
    """Return the caller's network (`core.api.clients.client_network`), or ""."""
    said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    address = (scope.get("client") or ("",))[0]
    request = SimpleNamespace(META={"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": said})
    found = client_address(cast("HttpRequest", request))
    return (found and network_of_address(found)) or ""


def signed_in(scope: Scope) -> str:
    """Return the caller's account name from the database.

    Raises NotSignedIn, PermissionRefused for a read token, DatabaseUnavailable.
    """
    close_old_connections()
    request = WSGIRequest(build_environ(scope, io.BytesIO(), 0))
    try:
        user = _by_token(request) or _by_session(request)
    except DatabaseError as error:
        if (trouble := outages.note(error)) is None:
            raise
        raise unavailable(trouble) from error
    if user is None:
        raise NotSignedIn(f"Sign in first: more than {SMALL_BYTES:,} bytes are accepted from signed-in callers only.")
    return f"user {user.pk}"


def _by_token(request: WSGIRequest) -> Any:
    methods: Any = [*more_methods, *api_settings.DEFAULT_AUTHENTICATION_CLASSES]
    for method in methods:
        try:
            found = method().authenticate(Request(request))
        except APIException as error:
            if error.status_code == 403:
                raise PermissionRefused(str(error.detail)) from error
            return None
        if found:
            return found[0]
    return None


def _by_session(request: WSGIRequest) -> Any:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    SessionMiddleware(lambda _request: HttpResponse()).process_request(request)
    user = get_user(request)
    return user if user.is_authenticated else None
