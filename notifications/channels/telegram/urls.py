from django.urls import path

from notifications.channels.telegram import webhooks

urlpatterns = [path("telegram", webhooks.updates, name="telegram-updates")]
