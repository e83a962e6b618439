from django.urls import path
from rest_framework.routers import SimpleRouter

from notifications.channels.push.views import PushKeyView
from notifications.views import contacts, inbox, ledger, readiness, rooms, webhooks

router = SimpleRouter()
router.register("channels", rooms.RoomChannelViewSet, basename="channel")
router.register("deliveries", ledger.DeliveryViewSet, basename="delivery")
router.register("me/contact-methods", contacts.ContactMethodViewSet, basename="contact-method")
router.register("me/notification-rules", contacts.NotificationRuleViewSet, basename="notification-rule")
router.register("webhooks", webhooks.WebhookViewSet, basename="webhook")

urlpatterns = [
    path("me/contact-methods/push-key/", PushKeyView.as_view(), name="push-key"),
    *router.urls,
    path("me/notifications/", inbox.InboxView.as_view(), name="inbox"),
    path("me/notifications/read/", inbox.ReadView.as_view(), name="inbox-read"),
    path("readiness/", readiness.ReadinessView.as_view(), name="readiness"),
]
