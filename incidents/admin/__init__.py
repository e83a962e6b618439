"""Admin pages."""

from incidents.admin import configuration, incidents

__all__ = ["configuration", "incidents"]
