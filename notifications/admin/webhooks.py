"""Webhooks: what they are told, their secrets, and whether they work."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from core.backoffice.base import BackOfficeAdmin, RefusableForm, attempt
from core.errors import DomainError
from incidents.kinds import all_kinds
from notifications.admin.badges import method_badge
from notifications.admin.secrets import show_secret
from notifications.channels.webhook.channel import mask
from notifications.channels.webhook.signing import new_secret
from notifications.models import WebhookEndpoint
from notifications.services import webhooks


class MirrorsField(forms.CharField):
    """Words, separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return [word.strip() for word in super().clean(value).split(",") if word.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.clean(data or ""))


class WebhookForm(RefusableForm):
    """A webhook without its secrets."""

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "team", "events", "format", "mirrors", "is_enabled")

    url = forms.CharField(max_length=1000, widget=UnfoldAdminTextInputWidget)
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=all_kinds, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    mirrors = MirrorsField(
        label=_("Mirrors"),
        max_length=1000,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_(
            "Kinds or names of sources behind the address, separated by commas: "
            "what came from them is never sent back there."
        ),
    )

    def clean_url(self) -> str:
        try:
            return webhooks.check_url(self.cleaned_data["url"])
        except DomainError as error:
            raise forms.ValidationError(error.message) from error


@admin.register(WebhookEndpoint)
class WebhookAdmin(BackOfficeAdmin):
    """Programs that are told of incidents; a secret is shown once."""

    form = WebhookForm
    ordering = ("name",)
    list_display = ("name", "host", "team", "state_display", "is_enabled")
    list_select_related = ("team",)
    search_fields = ("name__icontains",)
    autocomplete_fields = ("team",)
    fields = (("name", "is_enabled"), "url", "team", "events", "format", "mirrors")
    change_form_outer_before_template = "admin/notifications/webhook_panel.html"

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if not change:
            obj.secret = new_secret()
        elif {"url", "is_enabled"} & set(form.changed_data):
            for name, value in webhooks.WORKING.items():
                setattr(obj, name, value)
        super().save_model(request, obj, form, change)
        if not change:
            show_secret(request, obj.secret)

    def get_urls(self) -> list[Any]:
        views = {"test": self.test_view, "secret": self.secret_view}
        ours = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"notifications_webhookendpoint_{name}")
            for name, view in views.items()
        ]
        return [*ours, *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test message."""
        if (refusal := self._refusal(request)) is not None:
            return refusal
        webhook = self._webhook(request, pk)
        attempt(
            request,
            lambda: webhooks.send_test(webhook, by=request.user),  # type: ignore[arg-type]
            done=str(_("The test is on its way; see the deliveries.")),
        )
        return _back(webhook)

    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Replace the secret."""
        if (refusal := self._refusal(request)) is not None:
            return refusal
        webhook = self._webhook(request, pk)
        show_secret(request, webhooks.rotate_secret(webhook, by=request.user))  # type: ignore[arg-type]
        return _back(webhook)

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    def _webhook(self, request: HttpRequest, pk: int) -> WebhookEndpoint:
        found = self.get_object(request, str(pk))
        if found is None:
            raise Http404
        return found  # type: ignore[no-any-return]

    @admin.display(description=_("Address"))
    def host(self, webhook: WebhookEndpoint) -> str:
        return mask(webhook.url)

    @admin.display(description=_("State"))
    def state_display(self, webhook: WebhookEndpoint) -> SafeString:
        return method_badge(webhook.state, webhook.reason)


def _back(webhook: WebhookEndpoint) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:notifications_webhookendpoint_change", args=[webhook.pk]))
