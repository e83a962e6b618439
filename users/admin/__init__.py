"""The back office: what its pages share, and the pages of people and records."""

from core.backoffice.base import BackOfficeAdmin, ReadOnlyAdmin, RefusableForm
from users.admin import access, audit_log, people

__all__ = ["BackOfficeAdmin", "ReadOnlyAdmin", "RefusableForm", "access", "audit_log", "people"]
