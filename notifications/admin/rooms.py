"""Rooms of teams."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.backoffice.base import BackOfficeAdmin, RefusableForm, attempt
from core.errors import DomainError
from incidents.kinds import all_kinds
from notifications.admin.badges import method_badge
from notifications.admin.secrets import show_secret
from notifications.channels.port import all_channels, channel_of, masked
from notifications.models import RoomChannel
from notifications.services.rooms import check_address
from notifications.services.testing import test_room


def room_kinds() -> list[tuple[str, Any]]:
    return [(channel.kind, channel.label) for channel in all_channels() if channel.is_room]


class RoomForm(RefusableForm):
    """A room; its address holds secrets, so that only a new one is typed."""

    class Meta:
        model = RoomChannel
        fields = ("name", "kind", "address", "team", "events", "is_enabled")

    kind = forms.ChoiceField(label=_("Kind"), choices=room_kinds, widget=UnfoldAdminSelectWidget)
    address = forms.CharField(
        label=_("Address"),
        max_length=1000,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Empty: unchanged."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=all_kinds, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["address"] = ""
            self.fields["address"].show_hidden_initial = False

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        room, kind, address = self.instance, cleaned.get("kind", ""), cleaned.get("address", "")
        if not address and room.pk is not None and kind == room.kind:
            return cleaned
        try:
            cleaned["address"] = check_address(kind, address)
        except DomainError as error:
            self.add_error(error.field if error.field in self.fields else None, error.message)
        return cleaned


@admin.register(RoomChannel)
class RoomChannelAdmin(BackOfficeAdmin):
    """Rooms that are told of incidents; their addresses are shown to nobody again."""

    form = RoomForm
    ordering = ("name",)
    list_display = ("name", "kind", "masked", "team", "state_display", "is_enabled")
    list_select_related = ("team",)
    search_fields = ("name__icontains",)
    autocomplete_fields = ("team",)
    fields = (("name", "is_enabled"), "kind", "address", "team", "events")
    change_form_outer_before_template = "admin/notifications/room_panel.html"

    def save_model(self, request: HttpRequest, obj: RoomChannel, form: Any, change: bool) -> None:
        if change and not form.cleaned_data.get("address"):
            form.changed_data = [name for name in form.changed_data if name != "address"]
            obj.address = RoomChannel.objects.values_list("address", flat=True).get(pk=obj.pk)
        channel = channel_of(obj.kind)
        if channel is not None and (not change or "kind" in form.changed_data):
            obj.data = dict(channel.new_data())
            form.changed_data.append("data")
            show_secret(request, obj.data.get("secret", ""))
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.test_view)
        return [path("<int:pk>/test/", view, name="notifications_roomchannel_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test message."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        room = self.get_object(request, str(pk))
        if room is not None:
            attempt(
                request,
                lambda: test_room(room, by=request.user),  # type: ignore[arg-type]
                done=str(_("The test is on its way; see the deliveries.")),
            )
        return HttpResponseRedirect(reverse("admin:notifications_roomchannel_change", args=[pk]))

    @admin.display(description=_("Address"))
    def masked(self, room: RoomChannel) -> str:
        return masked(room.kind, room.address)

    @admin.display(description=_("State"))
    def state_display(self, room: RoomChannel) -> SafeString:
        return method_badge(room.state, room.reason)
