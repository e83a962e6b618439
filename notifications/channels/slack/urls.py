from django.urls import path

from notifications.channels.slack import webhooks

urlpatterns = [
    path("interactions", webhooks.interactions, name="slack-interactions"),
    path("commands", webhooks.commands, name="slack-commands"),
]
