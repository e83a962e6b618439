"""Admin pages of incidents and their configuration."""

from incidents.admin import configuration, incidents

__all__ = ["configuration", "incidents"]
