"""Whether a program asks at one of the earlier systems' addresses."""

from django.conf import settings
from django.http import HttpRequest

OF_PAGES = frozenset({"incidents", "logs", "alerts", "system"})  # where the console's own scripts ask too
FIRST_PARTS = OF_PAGES | {
    *("simulate-incident", "test-slack", "test-splunk", "test-ai", "webhooks", "metrics", "docs", "tickets", "ticket"),
}


def is_browser(request: HttpRequest) -> bool:
    """Return whether a person opens the address: programs bring a token, or ask for no page first."""
    headers = request.headers
    asks_for_page = headers.get("Accept", "").partition(",")[0].partition(";")[0].strip().lower() == "text/html"
    is_opened = headers.get("Sec-Fetch-Dest", "document") == "document"
    return request.method in ("GET", "HEAD") and asks_for_page and is_opened and "Authorization" not in headers


def is_programs(request: HttpRequest) -> bool:
    """Return whether a program asks at or below one of these addresses, so that errors are problem documents."""
    part = request.path.split("/")[1]
    if not settings.LEGACY_ROUTES or part not in FIRST_PARTS:
        return False
    return "Authorization" in request.headers or (part not in OF_PAGES and not is_browser(request))
