"""Contact methods and rules, rooms and webhooks, the inbox, the outbox and its ledger."""

from notifications.models.chat import ChatIntegration, ChatRequest
from notifications.models.contacts import ContactMethod, ContactMethodQuerySet, LinkCode, NotificationRule
from notifications.models.deliveries import (
    AnswerToken,
    Delivery,
    DeliveryAttempt,
    DeliveryQuerySet,
    DeliveryTally,
    Pace,
    ProviderLimit,
)
from notifications.models.inbound import InboundMail, InboundMailQuerySet
from notifications.models.inbox import Notification
from notifications.models.phone import PhoneUsage
from notifications.models.rooms import RoomChannel, WebhookEndpoint

__all__ = [
    "AnswerToken",
    "ChatIntegration",
    "ChatRequest",
    "ContactMethod",
    "ContactMethodQuerySet",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryQuerySet",
    "DeliveryTally",
    "InboundMail",
    "InboundMailQuerySet",
    "LinkCode",
    "Notification",
    "NotificationRule",
    "Pace",
    "PhoneUsage",
    "ProviderLimit",
    "RoomChannel",
    "WebhookEndpoint",
]
