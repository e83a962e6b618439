"""The back office's pages of incidents and of what configures them."""

from incidents.admin import configuration, incidents

__all__ = ["configuration", "incidents"]
