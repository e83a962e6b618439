from notifications.admin import chat, contacts, deliveries, rooms, sections, webhooks
from notifications.channels.email import admin as inbound_mail

__all__ = ["chat", "contacts", "deliveries", "inbound_mail", "rooms", "sections", "webhooks"]
