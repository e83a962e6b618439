from alerts.admin import alerts, records, routes, sections, silences, sources

__all__ = ["alerts", "records", "routes", "sections", "silences", "sources"]
