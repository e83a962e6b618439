from status_page.admin import announcements, configuration

__all__ = ["announcements", "configuration"]
