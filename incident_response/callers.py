"""Who is calling, asked before a request is taken in: cheap questions, for which no view runs."""

import io
import ipaddress
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

from incident_response.bodies import SMALL_BYTES, Scope
from incident_response.bridge import build_environ
from incident_response.exceptions import NotSignedIn, PermissionRefused
from users.clients import client_address
from users.outages import outages, unavailable

IPV6_NETWORK = 64  # what one customer has at least


def network_of(scope: Scope) -> str:
    """The caller's network: the address itself, or the first 64 bits of an IPv6 one."""
    address: str | None = (scope.get("client") or ("",))[0]
    if settings.TRUSTED_PROXIES:
        said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
        request = SimpleNamespace(META={"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": said})
        address = client_address(cast("HttpRequest", request))
    if not address or ":" not in address:
        return address or ""
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], IPV6_NETWORK), strict=False))
    except ValueError:
        return address


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
