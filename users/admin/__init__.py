"""The back office: what its pages share, and the pages of people and records."""

from users.admin import access, audit_log, people
from users.admin.base import BackOfficeAdmin, ReadOnlyAdmin, RefusableForm

__all__ = ["BackOfficeAdmin", "ReadOnlyAdmin", "RefusableForm", "access", "audit_log", "people"]
