from status_page.admin import announcements, configuration, subscribers

__all__ = ["announcements", "configuration", "subscribers"]
