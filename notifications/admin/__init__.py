from notifications.admin import contacts, deliveries, rooms, sections

__all__ = ["contacts", "deliveries", "rooms", "sections"]
