"""The back office's pages of alerts: what comes in, where it goes, and what became of it."""

from alerts.admin import alerts, records, routes, sections, silences, sources

__all__ = ["alerts", "records", "routes", "sections", "silences", "sources"]
