"""What the audit log records of alerts: what people edit."""

from auditlog.registry import auditlog

from alerts.models import Heartbeat, Route, Silence
from intake.models import Source


def register() -> None:
    """Record every save of these models."""
    auditlog.register(
        Source,
        exclude_fields=["last_received_at", "awaited_since"],
        mask_fields=["signing_secret"],
        mask_callable="alerts.audit.masked",
    )
    auditlog.register(Heartbeat, exclude_fields=["last_ping_at"])
    auditlog.register(Route, exclude_fields=["dropped_count", "matched_count"])
    auditlog.register(Silence)


def masked(secret: str) -> str:
    """Return what is recorded of a secret: that there is one. Auditlog's own mask leaves half of it readable."""
    return "***" if secret else ""
