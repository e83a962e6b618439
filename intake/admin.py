"""The pages of intake events. Read only."""

import json
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

from core.backoffice.badges import ago, cut
from core.backoffice.base import ReadOnlyAdmin, exactly
from intake.models import IntakeEvent, Source
from intake.services.queue import dismiss, may_replay, replay
from intake.vocabulary import IntakeState
from users.models import User

Card = Callable[[IntakeEvent, User], SafeString]

MAX_BODY_SHOWN = 64 * 1024  # bytes of a body
COLOURS = {
    IntakeState.FAILED: "ir-late",
    IntakeState.LIMITED: "ir-severity-high",
    IntakeState.DONE: "ir-status-resolved",
    IntakeState.WAITING: "ir-status-acknowledged",
}
OTHERS = [state for state in IntakeState if state != IntakeState.FAILED]
_cards: list[Card] = []
TABS = [
    ("", gettext_lazy("Failed")),
    *((state.value, str(state.label)) for state in OTHERS),
    ("any", gettext_lazy("All")),
]


def register_card(card: Card) -> None:
    """Show what another app makes of an intake event on its page."""
    _cards.append(card)


class SourceFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = gettext_lazy("source"), "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Source.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(source_id=int(value[:15])) if value.isascii() and value.isdigit() else queryset.none()


class StateFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    """What needs attention comes first."""

    title, parameter_name = gettext_lazy("state"), "state"
    all_option = ["", gettext_lazy("Failed")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return TABS[1:]

    def queryset(self, request: HttpRequest, queryset: QuerySet[IntakeEvent]) -> QuerySet[IntakeEvent]:
        return queryset if self.value() == "any" else queryset.filter(state=self.value() or IntakeState.FAILED)


@admin.register(IntakeEvent)
class IntakeEventAdmin(ReadOnlyAdmin):
    """Each request and its result; failed ones can be replayed."""

    ordering = ("-id",)
    list_display = ("received", "source", "format", "state_display", "reason_display", "number")
    list_display_links = ("received",)
    list_select_related = ("source",)
    list_filter = (StateFilter, SourceFilter)
    actions = ("replay_selected", "dismiss_selected")
    list_before_template = "admin/intake/above.html"
    change_form_outer_before_template = "admin/intake/panel.html"
    change_form_outer_after_template = "admin/intake/below.html"
    fields = ("received_at", "processed_at", "source", "format", "alert_count", "dismissed_at", "dismissed_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[IntakeEvent]:
        rows: QuerySet[IntakeEvent] = super().get_queryset(request)
        return rows.defer("body", "headers")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        chosen = request.GET.get("state", "")
        tabs = [(value, label, value == chosen) for value, label in TABS]
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "tabs": tabs})
        return response

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    @admin.action(description=gettext_lazy("Replay"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[IntakeEvent]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        _tell(request, replay(chosen), len(chosen))

    @admin.action(description=gettext_lazy("Dismiss"), permissions=["replay"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[IntakeEvent]) -> None:
        events = IntakeEvent.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        messages.success(request, _("%(number)d dismissed.") % {"number": dismiss(events, by=request.user)})  # type: ignore[arg-type]

    def get_urls(self) -> list[Any]:
        views = {"replay": self.replay_view, "raw": self.raw_view, "dismiss": self.dismiss_view}
        ours = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"intake_intakeevent_{name}")
            for name, view in views.items()
        ]
        all_view = self.admin_site.admin_view(self.dismiss_all_view)
        return [path("dismiss/", all_view, name="intake_intakeevent_dismiss_all"), *ours, *super().get_urls()]

    def dismiss_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self._event(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        dismiss(IntakeEvent.objects.filter(pk=event.pk), by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("Dismissed. The event stays in the list."))
        return HttpResponseRedirect(reverse("admin:intake_intakeevent_change", args=[event.pk]))

    def dismiss_all_view(self, request: HttpRequest) -> HttpResponse:
        """Dismiss all that had failed when the home page was shown."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        last = request.POST.get("last", "")
        if request.method != "POST" or not (last.isascii() and last.isdigit()):
            return HttpResponseNotAllowed(["POST"])
        number = dismiss(IntakeEvent.objects.filter(pk__lte=int(last)), by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("%(number)d dismissed. They stay in the list.") % {"number": number})
        return HttpResponseRedirect(reverse("admin:index"))

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self._event(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        _tell(request, replay([event.pk]), 1)
        return HttpResponseRedirect(reverse("admin:intake_intakeevent_change", args=[event.pk]))

    def raw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Download the body: no browser is to interpret it."""
        event = self._event(request, pk)
        answer = HttpResponse(bytes(event.body), content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="intake-{event.pk}.bin"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        event = self.get_object(request, object_id)
        around = around_event(event, request.user) if event else {}  # type: ignore[arg-type]
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **around})
        return response

    def _event(self, request: HttpRequest, pk: int) -> IntakeEvent:
        if not self.has_replay_permission(request):
            raise PermissionDenied
        event = IntakeEvent.objects.filter(pk=pk).first()
        if event is None:
            raise Http404
        return event

    @admin.display(description=gettext_lazy("Received"))
    def received(self, event: IntakeEvent) -> SafeString | str:
        return ago(event.received_at)

    @admin.display(description=gettext_lazy("State"))
    def state_display(self, event: IntakeEvent) -> SafeString:
        return state_badge(event)

    @admin.display(description=gettext_lazy("Reason"))
    def reason_display(self, event: IntakeEvent) -> SafeString:
        return format_html('<span class="ir-title">{}</span>', event.reason)

    @admin.display(description=gettext_lazy("Alerts"))
    def number(self, event: IntakeEvent) -> int:
        return event.alert_count


def state_badge(event: IntakeEvent) -> SafeString:
    """Return its state as a coloured word."""
    state = IntakeState(event.state)
    mark = format_html(' <span class="ir-badge">{}</span>', _("dismissed")) if event.dismissed_at else ""
    return format_html('<span class="ir-badge {}">{}</span>{}', COLOURS.get(state, ""), state.label, mark)


def around_event(event: IntakeEvent, user: User) -> dict[str, Any]:
    """Return its result, its alerts and its body."""
    body = bytes(event.body)
    return {
        "event": event,
        "state": state_badge(event),
        "received": exactly(event.received_at),
        "may_replay": may_replay(event),
        "may_dismiss": event.state == IntakeState.FAILED and event.dismissed_at is None,
        "is_waiting": event.state == IntakeState.WAITING,
        "cards": [card(event, user) for card in _cards],
        "headers": cut(event.headers),
        "text": readable(body),
        "size": len(body),
        "is_cut": len(body) > MAX_BODY_SHOWN,
    }


def readable(body: bytes) -> str:
    """Return a readable body: indented JSON, text, or marks for bytes."""
    text = body[:MAX_BODY_SHOWN].decode("utf-8", "replace")
    if len(body) <= MAX_BODY_SHOWN:
        try:
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            pass
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def _tell(request: HttpRequest, number: int, asked: int) -> None:
    if number:
        messages.success(request, _("%(number)d queued again.") % {"number": number})
    if number < asked:
        text = _("%(number)d skipped: only events that failed, were dropped or contained no alert can be replayed.")
        messages.warning(request, text % {"number": asked - number})
