"""The pages of inbound mail: read only, but for what was held or had no effect."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from core.backoffice.badges import ago
from core.backoffice.base import ReadOnlyAdmin, exactly
from notifications.channels.email.inbound.again import REPLAYABLE, accept, process_again
from notifications.models import InboundMail
from notifications.vocabulary import InboundState

SHOWN = 64 * 1024  # bytes of a mail
COLOURS = {
    InboundState.FAILED: "ir-late",
    InboundState.HELD: "ir-severity-high",
    InboundState.OPENED: "ir-status-resolved",
    InboundState.COMMENTED: "ir-status-resolved",
    InboundState.WAITING: "ir-status-acknowledged",
}
NAME = "notifications_inboundmail"


class StateFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in InboundState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InboundMail]) -> QuerySet[InboundMail]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(InboundMail)
class InboundMailAdmin(ReadOnlyAdmin):
    """Each mail that came in, and what became of it."""

    ordering = ("-id",)
    list_display = ("received", "sender", "subject_display", "state_display", "reason_display", "incident_link")
    list_display_links = ("received",)
    list_select_related = ("incident",)
    list_filter = (StateFilter,)
    actions = ("process_selected", "accept_selected")
    change_form_outer_before_template = "admin/notifications/mail_panel.html"
    change_form_outer_after_template = "admin/notifications/mail_below.html"
    fields = ("received_at", "processed_at", "sender", "recipient", "user", "incident", "accepted_by", "byte_count")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMail]:
        rows: QuerySet[InboundMail] = super().get_queryset(request)
        return rows.defer("raw")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    @admin.action(description=gettext_lazy("Process again"), permissions=["replay"])
    def process_selected(self, request: HttpRequest, queryset: QuerySet[InboundMail]) -> None:
        self._act(request, process_again, list(queryset.values_list("pk", flat=True)))

    @admin.action(description=gettext_lazy("Accept: the sender is known to be genuine"), permissions=["replay"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[InboundMail]) -> None:
        self._act(request, accept, list(queryset.values_list("pk", flat=True)))

    def get_urls(self) -> list[Any]:
        views = {"replay": self.replay_view, "accept": self.accept_view, "raw": self.raw_view}
        ours = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"{NAME}_{name}")
            for name, view in views.items()
        ]
        return [*ours, *super().get_urls()]

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act_on_one(request, process_again, pk)

    def accept_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act_on_one(request, accept, pk)

    def raw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Download the mail: no browser is to interpret it."""
        mail = self._mail(request, pk)
        answer = HttpResponse(bytes(mail.raw), content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="mail-{mail.pk}.eml"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        mail = self.get_object(request, object_id)
        around = around_mail(mail) if mail else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **around})
        return response

    def _act_on_one(self, request: HttpRequest, act: Callable[..., int], pk: int) -> HttpResponse:
        mail = self._mail(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._act(request, act, [mail.pk])
        return HttpResponseRedirect(reverse(f"admin:{NAME}_change", args=[mail.pk]))

    def _act(self, request: HttpRequest, act: Callable[..., int], ids: list[int]) -> None:
        number = act(ids, by=request.user)
        if number:
            messages.success(request, _("%(number)d queued.") % {"number": number})
        if number < len(ids):
            messages.warning(request, _("%(number)d skipped: they took effect.") % {"number": len(ids) - number})

    def _mail(self, request: HttpRequest, pk: int) -> InboundMail:
        if not self.has_replay_permission(request):
            raise PermissionDenied
        mail = InboundMail.objects.filter(pk=pk).first()
        if mail is None:
            raise Http404
        return mail

    @admin.display(description=gettext_lazy("Received"))
    def received(self, mail: InboundMail) -> SafeString | str:
        return ago(mail.received_at)

    @admin.display(description=gettext_lazy("Subject"))
    def subject_display(self, mail: InboundMail) -> SafeString:
        return format_html('<span class="ir-title">{}</span>', str(mail))

    @admin.display(description=gettext_lazy("State"))
    def state_display(self, mail: InboundMail) -> SafeString:
        return state_badge(mail)

    @admin.display(description=gettext_lazy("Reason"))
    def reason_display(self, mail: InboundMail) -> SafeString:
        return format_html('<span class="ir-title">{}</span>', mail.reason)

    @admin.display(description=gettext_lazy("Incident"))
    def incident_link(self, mail: InboundMail) -> SafeString | str:
        if mail.incident is None:
            return ""
        url = reverse("admin:incidents_incident_change", args=[mail.incident.pk])
        return format_html('<a class="ir-link" href="{}">{}</a>', url, mail.incident.reference)


def state_badge(mail: InboundMail) -> SafeString:
    """Return its state as a coloured word."""
    state = InboundState(mail.state)
    return format_html('<span class="ir-badge {}">{}</span>', COLOURS.get(state, ""), state.label)


def around_mail(mail: InboundMail) -> dict[str, Any]:
    """Return what became of a mail, and its text as it came."""
    text = bytes(mail.raw)[:SHOWN].decode("utf-8", "replace")
    return {
        "mail": mail,
        "state": state_badge(mail),
        "received": exactly(mail.received_at),
        "may_replay": mail.state in REPLAYABLE,
        "may_accept": mail.state == InboundState.HELD,
        "text": "".join(
            mark if mark.isprintable() or mark in "\n\t" else "" if mark == "\r" else "\ufffd" for mark in text
        ),
        "is_cut": mail.byte_count > SHOWN,
    }
