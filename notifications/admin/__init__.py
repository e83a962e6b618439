from notifications.admin import chat, contacts, deliveries, inbound_mail, rooms, sections, webhooks

__all__ = ["chat", "contacts", "deliveries", "inbound_mail", "rooms", "sections", "webhooks"]
