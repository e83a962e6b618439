"""Who is told by mail; people subscribe themselves, an administrator only ends or imports."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter

from core.backoffice.base import ReadOnlyAdmin
from status_page.models import Subscriber
from status_page.services.subscribing import end_by_admin
from status_page.vocabulary import SubscriberState


class StateFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(SubscriberState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(Subscriber)
class SubscriberAdmin(ReadOnlyAdmin):
    """Addresses, what they are told of, and since when."""

    ordering = ("-id",)
    list_display = ("email", "state", "language", "confirmed_at")
    list_filter = (StateFilter,)
    search_fields = ("email",)
    actions = ("unsubscribe_selected",)
    fields = (("email", "language"), "state", "components", ("created_at", "confirmed_at", "unsubscribed_at"))

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_act_permission(request)  # addresses of strangers

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_act_permission(request)

    @admin.action(description=_("Unsubscribe"), permissions=["act"])
    def unsubscribe_selected(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> None:
        ended = list(queryset.order_by("pk"))
        for subscriber in ended:
            end_by_admin(subscriber, by=request.user, now=timezone.now())  # type: ignore[arg-type]  # signed in
        text = ngettext("%(n)d address gets no more mails.", "%(n)d addresses get no more mails.", len(ended))
        messages.success(request, text % {"n": len(ended)})
