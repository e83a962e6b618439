"""The pages of escalation; importing these modules registers them."""

from paging.admin import policies, records, sections

__all__ = ["policies", "records", "sections"]
