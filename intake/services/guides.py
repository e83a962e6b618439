"""Guides for setting senders up."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.safestring import SafeString

from core.text.markdown import render_markdown
from intake.readers import guide_beside, payload_readers
from intake.vocabulary import LOGS

LOGS_GUIDE = Path(settings.BASE_DIR) / "docs" / "logs.md"
EXAMPLE_URL = "https://incidents.example.org"


def guide_of(kind: str) -> Path | None:
    """Return a kind's guide, if installed."""
    if kind == LOGS:
        page = LOGS_GUIDE
    elif kind in payload_readers():
        page = guide_beside(payload_readers()[kind])
    else:
        return None
    return page if page.is_file() else None


def guide_text(kind: str, key: str = "", *, url: str = "") -> SafeString | None:
    """Return the guide with this server's address (PUBLIC_URL unless given), and the key."""
    page = guide_of(kind)
    if page is None:
        return None
    ours = (url or settings.PUBLIC_URL).rstrip("/")
    text = page.read_text(encoding="utf-8").replace(EXAMPLE_URL, ours)
    text = text.replace(urlsplit(EXAMPLE_URL).netloc, urlsplit(ours).netloc)
    return render_markdown(re.sub(r"\bKEY\b", key, text) if key else text)
