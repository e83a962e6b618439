"""Where somebody who signs in lands: where they can work."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from users.models import User


def landing(request: HttpRequest, user: User, wanted: str) -> str:
    """Return the wanted address if it is ours and open to this person, else their first page."""
    is_local = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    if wanted and is_local and _is_open(user, urlsplit(wanted).path):
        return wanted
    return reverse("console:dashboard" if user.is_staff else "console:incidents")


def _is_open(user: User, path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    if match.namespace == "admin" or match.view_name == "console:dashboard":
        return user.is_staff
    return user.role in getattr(match.func, "roles", {user.role})
