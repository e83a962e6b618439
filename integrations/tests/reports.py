"""What users of other products reported, as steps that a vendor's reader takes."""

import json
import unittest
from typing import Any

from django.conf import settings

from intake.requests import IntakeRequest

REPORTS = settings.BASE_DIR.parent / "shared" / "data" / "reports"
needs_reports = unittest.skipUnless(
    REPORTS.is_dir(), f"the reports of other products are not beside this checkout ({REPORTS})"
)


def requests_of(name: str) -> list[IntakeRequest]:
    """Return what is posted in a report; its times stay placeholders."""
    steps: list[dict[str, Any]] = json.loads((REPORTS / f"{name}.json").read_text(encoding="utf-8"))["steps"]
    return [IntakeRequest("POST", "/", {}, json.dumps(step["json"]).encode()) for step in steps]
