"""What people asked in chats, and what they were told."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.backoffice.badges import ago
from core.backoffice.base import ReadOnlyAdmin
from notifications.channels.port import masked
from notifications.models import ChatRequest


@admin.register(ChatRequest)
class ChatRequestAdmin(ReadOnlyAdmin):
    """Pressed buttons and commands; kept for two weeks."""

    ordering = ("-id",)
    list_display = ("received", "kind", "person", "action", "number", "state")
    list_display_links = ("received",)
    list_filter = (("state", ChoicesDropdownFilter),)
    # Neither the text, which may be a code, nor where the answer goes: whoever knows that address may post to it.
    fieldsets = (
        (None, {"fields": (("kind", "person"), ("action", "number"), "state", ("received_at", "next_at"), "attempts")}),
    )

    @admin.display(description=_("received"), ordering="id")
    def received(self, request: ChatRequest) -> SafeString:
        return ago(request.received_at)

    @admin.display(description=_("who"))
    def person(self, request: ChatRequest) -> str:
        return masked(request.kind, request.address)
