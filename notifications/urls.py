from django.urls import path
from rest_framework.routers import SimpleRouter

from notifications.views import contacts, inbox, ledger, readiness, rooms

router = SimpleRouter()
router.register("channels", rooms.RoomChannelViewSet, basename="channel")
router.register("deliveries", ledger.DeliveryViewSet, basename="delivery")
router.register("me/contact-methods", contacts.ContactMethodViewSet, basename="contact-method")
router.register("me/notification-rules", contacts.NotificationRuleViewSet, basename="notification-rule")

urlpatterns = [
    *router.urls,
    path("me/notifications/", inbox.InboxView.as_view(), name="inbox"),
    path("me/notifications/read/", inbox.ReadView.as_view(), name="inbox-read"),
    path("readiness/", readiness.ReadinessView.as_view(), name="readiness"),
]
