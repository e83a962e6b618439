from auditlog.models import LogEntry
from auditlog.registry import auditlog

from status_page.models import Component, ComponentGroup, PublicIncident, PublicUpdate, StatusPage, UpdateTemplate
from users import audit
from users.models import User


def register() -> None:
    """Audit every save of these models, without keys and what follows from the rest."""
    auditlog.register(
        StatusPage,
        exclude_fields=["logo", "revision", "written_revision", "written_at"],
        mask_fields=["access_digest"],
        mask_callable="status_page.audit.masked",
    )
    auditlog.register(ComponentGroup)
    auditlog.register(Component)
    auditlog.register(PublicIncident, exclude_fields=["next_step_at", "version"], m2m_fields={"components"})
    auditlog.register(PublicUpdate, exclude_fields=["earlier", "tell_at", "told_to", "told_count"])
    auditlog.register(UpdateTemplate)


def masked(digest: str) -> str:
    """Return what is recorded of a key: that there is one."""
    return "***" if digest else ""


def record_logo(page: StatusPage, before: bytes, *, by: User | None) -> None:
    """Write the entry of another logo: a picture is no text."""
    sizes = tuple(f"{len(logo)} bytes" if logo else "" for logo in (before, page.logo))
    audit.write(page, LogEntry.Action.UPDATE, {"logo": (sizes[0], sizes[1])}, by=by)
