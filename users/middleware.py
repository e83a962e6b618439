"""What surrounds the pages of the admin site."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone


def local_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show times in the zone of whoever is signed in to the admin site; other requests pay nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.path.startswith(reverse("admin:index")):
            return get_response(request)
        with timezone.override(zone_named(getattr(request.user, "time_zone", "UTC"))):
            return get_response(request)

    return middleware


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of that name; UTC for a name the system does not know (any more)."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo("UTC")
