from django.urls import path

from notifications.channels.smsgateway import webhooks

urlpatterns = [
    path("receipts", webhooks.receipts, name="sms-gateway-receipts"),
    path("replies", webhooks.replies, name="sms-gateway-replies"),
]
