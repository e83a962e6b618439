"""The ledger: every message, every attempt, and what an administrator does about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import DropdownFilter

from core.backoffice.badges import ago
from core.backoffice.base import ReadOnlyAdmin
from core.errors import DomainError
from notifications.admin.badges import delivery_badge
from notifications.channels.port import all_channels
from notifications.models import Delivery, DeliveryAttempt
from notifications.services import ledger
from notifications.vocabulary import Kind, State


class StateFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class ChannelFilter(StateFilter):
    title, parameter_name = _("channel"), "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(channel.kind, channel.label) for channel in all_channels()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class KindFilter(StateFilter):
    title, parameter_name = _("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Kind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class AttemptInline(TabularInline):  # type: ignore[misc]  # unfold is untyped
    """Every attempt, recorded before it began."""

    model = DeliveryAttempt
    fields = readonly_fields = ("number", "at", "ended_at", "outcome", "provider", "detail")
    extra = 0
    can_delete = False
    hide_title = True
    ordering = ("number",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Messages to people, rooms and webhooks; only an answer counts as reached."""

    ordering = ("-id",)
    list_display = (
        "created",
        "kind",
        "recipient",
        "state_display",
        "incident_display",
        "attempts_display",
        "next_display",
    )
    list_display_links = ("created",)
    list_select_related = ("incident",)
    list_filter = (StateFilter, ChannelFilter, KindFilter)
    actions = ("retry_selected", "cancel_selected", "release_selected")
    inlines = (AttemptInline,)
    fieldsets = (
        (None, {"fields": (("kind", "importance"), ("channel", "recipient"), ("state", "reason"), "incident")}),
        (
            _("What became of it"),
            {"fields": (("handed_over_at", "accepted_at"), ("delivered_at", "answered_at"), "receipt_due_at")},
        ),
        (
            _("Sending"),
            {
                "fields": (
                    ("created_at", "due_at"),
                    ("next_attempt_at", "gives_up_at"),
                    "held_because",
                    ("provider", "provider_id"),
                    ("bundle", "bundle_count"),
                )
            },
        ),
    )

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    @admin.action(description=_("Send again"), permissions=["act"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._act(request, queryset, ledger.retry)

    @admin.action(description=_("Cancel"), permissions=["act"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._act(request, queryset, ledger.cancel)

    @admin.action(description=_("Release what is held"), permissions=["act"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._act(request, queryset, ledger.release)

    def _act(self, request: HttpRequest, queryset: QuerySet[Delivery], work: Callable[[Delivery], Delivery]) -> None:
        done, refused = 0, {}
        for delivery in queryset.order_by("pk"):
            try:
                work(delivery)
                done += 1
            except DomainError as error:
                refused[delivery.pk] = error.message
        if done:
            messages.success(request, ngettext("%(n)d delivery.", "%(n)d deliveries.", done) % {"n": done})
        for pk, message in list(refused.items())[:10]:
            messages.error(request, f"{pk}: {message}")

    @admin.display(description=_("Created"))
    def created(self, delivery: Delivery) -> SafeString | str:
        return ago(delivery.created_at)

    @admin.display(description=_("State"))
    def state_display(self, delivery: Delivery) -> SafeString:
        return delivery_badge(delivery)

    @admin.display(description=_("Incident"))
    def incident_display(self, delivery: Delivery) -> str:
        return delivery.incident.reference if delivery.incident else ""

    @admin.display(description=_("Attempts"))
    def attempts_display(self, delivery: Delivery) -> str:
        is_carried = delivery.bundle_id is not None and not delivery.attempt_count
        return gettext("in a bundle") if is_carried else str(delivery.attempt_count)

    @admin.display(description=_("Next attempt"))
    def next_display(self, delivery: Delivery) -> SafeString | str:
        return ago(delivery.next_attempt_at) if delivery.next_attempt_at else ""
