from notifications.admin import chat, contacts, deliveries, rooms, sections, webhooks

__all__ = ["chat", "contacts", "deliveries", "rooms", "sections", "webhooks"]
