from notifications.admin import chat, contacts, deliveries, rooms, sections

__all__ = ["chat", "contacts", "deliveries", "rooms", "sections"]
