"""Who is calling, asked before a request is taken in: cheap questions, for which no view runs."""

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

from core.api.clients import client_network
from core.db.outages import outages, unavailable
from core.errors import NotSignedIn, PermissionRefused
from core.server.bodies import MEGABYTE, SMALL_BYTES, Budget, Scope
from core.server.bridge import build_environ

# What those may have in the memory of this process who have not said who they are; a network's part is a quarter.
strangers_budget = Budget(32 * MEGABYTE, cuts_off=True)
asking = ThreadPoolExecutor(2, thread_name_prefix="asking")  # where the database is asked who calls


def network_of(scope: Scope) -> str:
    """What the caller is counted under (`core.api.clients.client_network`); empty where nobody can tell."""
    said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    address = (scope.get("client") or ("",))[0]
    request = SimpleNamespace(META={"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": said})
    return client_network(cast("HttpRequest", request)) or ""


def signed_in(scope: Scope) -> str:
    """The name of the caller's account, for sharing what there is among callers; asks the database.

    Raises NotSignedIn without valid credentials, PermissionRefused for a token that may not write, DatabaseUnavailable
    while the database does not answer.
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
    methods: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
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
