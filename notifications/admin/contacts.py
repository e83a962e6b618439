"""People's contact methods: kind and state; the address is theirs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.backoffice.badges import ago
from core.backoffice.base import ReadOnlyAdmin
from notifications.admin.badges import method_badge
from notifications.admin.deliveries import StateFilter
from notifications.channels.port import all_channels, masked
from notifications.models import ContactMethod
from notifications.services.readiness import unready_people
from notifications.vocabulary import MethodState


class MethodStateFilter(StateFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(MethodState.choices)


@admin.register(ContactMethod)
class ContactMethodAdmin(ReadOnlyAdmin):
    """How people can be reached, and above the list, who cannot be."""

    ordering = ("-id",)
    list_display = ("user", "kind", "masked", "state_display", "verified")
    list_display_links = ("user",)
    list_select_related = ("user",)
    list_filter = (MethodStateFilter,)
    search_fields = ("user__name__icontains",)
    list_before_template = "admin/notifications/readiness.html"
    fields = ("user", "kind", "masked", "label", "state", "reason", "failing_since", "verified_at", "created_at")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "unready": unready_people(timezone.now()),
            "channels": [(one.label, one.why_unusable(), ", ".join(one.providers())) for one in all_channels()],
        }
        response: HttpResponse = super().changelist_view(request, context)
        return response

    @admin.display(description=_("Address"))
    def masked(self, method: ContactMethod) -> str:
        return masked(method.kind, method.address)

    @admin.display(description=_("State"))
    def state_display(self, method: ContactMethod) -> SafeString:
        return method_badge(method.state, method.reason)

    @admin.display(description=_("Verified"))
    def verified(self, method: ContactMethod) -> SafeString | str:
        return ago(method.verified_at) if method.verified_at else _("no")
