"""Where the public finds the page."""

from urllib.parse import urljoin

from django.conf import settings

PATH = "status/"  # below PUBLIC_URL


def page_url(path: str = "") -> str:
    """Return the absolute address of the page, or of something below it."""
    base = settings.STATUS_URL or f"{settings.PUBLIC_URL.rstrip('/')}/{PATH}"
    return urljoin(f"{base.rstrip('/')}/", path)
