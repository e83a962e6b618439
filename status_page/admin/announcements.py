"""Admin pages of public incidents, maintenance, updates and impacts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from core.backoffice.base import BackOfficeAdmin, ReadOnlyAdmin, RefusableForm, exactly
from incidents.models import Incident, Origin
from status_page.admin.fields import TranslationsField
from status_page.models import ImpactSpan, PublicIncident, PublicUpdate
from status_page.services import maintenance, publishing
from status_page.vocabulary import STATES, Kind, State

MOST_UPDATES = 100
TIMES = ("starts_at", "ends_at")
SAID = _("Tell subscribers")
SAME = [("", _("as it is"))]


class PublishForm(RefusableForm):
    """An incident to publish, or maintenance to plan."""

    class Meta:
        model = PublicIncident
        fields = ("kind", "title", "impact", "state", "components", "incident", "starts_at", "ends_at", "translations")

    message = forms.CharField(label=_("message"), max_length=10_000, widget=UnfoldAdminTextareaWidget)
    translations = TranslationsField("title", "message")
    tell = forms.BooleanField(label=SAID, required=False, initial=True, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_at", "state", "impact"):
            if name in self.fields:
                self.fields[name].required = False
        if "starts_at" in self.fields:
            self.fields["starts_at"].initial = None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        is_incident = cleaned.get("kind") == Kind.INCIDENT
        needed = ("impact", "state") if is_incident else TIMES
        for name in needed:
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("This is needed."))
        return cleaned

    def _post_clean(self) -> None:
        """Leave the row to the service."""


class CorrectForm(RefusableForm):
    """A correction, an update, or new times."""

    class Meta:
        model = PublicIncident
        fields = ("title", "impact", "components", "starts_at", "ends_at", "translations")

    translations = TranslationsField("title")
    message = forms.CharField(
        label=_("message"),
        required=False,
        max_length=10_000,
        widget=UnfoldAdminTextareaWidget,
        help_text=_("Empty: nothing is said. With new times of maintenance: what is said of them."),
    )
    message_translations = TranslationsField("message")
    new_state = forms.ChoiceField(label=_("state"), required=False, choices=[], widget=UnfoldAdminSelectWidget)
    tell = forms.BooleanField(label=SAID, required=False, initial=True, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        states = [choice for choice in State.choices if choice[0] in STATES[Kind(self.instance.kind)]]
        if "new_state" in self.fields:
            self.fields["new_state"].choices = [*SAME, *states]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if cleaned.get("new_state") and not cleaned.get("message"):
            self.add_error("message", _("Say what has changed."))
        return cleaned


@admin.register(PublicIncident)
class PublicIncidentAdmin(BackOfficeAdmin):
    """What the public is told; to delete is to withdraw."""

    ordering = ("-starts_at", "-id")
    list_display = ("title", "kind", "state", "impact", "starts_at", "ended_at")
    list_filter = (("kind", ChoicesDropdownFilter), ("state", ChoicesDropdownFilter))
    search_fields = ("title__icontains",)
    autocomplete_fields = ("components", "incident")
    readonly_fields = ("kind_and_state", "about", "ended_at", "said")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse to select by the incident, which not everybody sees."""
        return lookup.split("__")[0] != "incident" and super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = PublishForm if obj is None else CorrectForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            facts = ("title", "message", ("impact", "state"), "components", "incident", ("starts_at", "ends_at"))
            return [(None, {"fields": ("kind", *facts, "translations", "tell")})]
        is_planned = obj.kind == Kind.MAINTENANCE and obj.ended_at is None
        correctable: tuple[Any, ...] = ("title", "components", "translations")
        correctable = correctable if obj.kind == Kind.MAINTENANCE else ("impact", *correctable)
        shown = (None, {"fields": ("kind_and_state", "about", "ended_at", "said")})
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ("title", "impact")}), shown]
        return [
            shown,
            (
                _("Update"),
                {"fields": (*(TIMES if is_planned else ()), "message", "message_translations", "new_state", "tell")},
            ),
            (_("Correction: as if it had been so from the start"), {"fields": correctable}),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        how: dict[str, Any] = {"by": request.user, "origin": Origin.ADMIN}
        values = form.cleaned_data
        if not change:
            made = _publish(values, how)
            obj.pk, obj.title = made.pk, made.title
            return
        corrected = {name: values[name] for name in form.changed_data if name in publishing.EDITABLE}
        if corrected:
            publishing.edit(obj, by=how["by"], changes=corrected)
        said = {"message": values["message"], "translations": values["message_translations"], "tell": values["tell"]}
        if times := {name: values[name] for name in form.changed_data if name in TIMES}:
            maintenance.move(obj, **times, **said, **how)
        elif values["message"]:
            publishing.add_update(obj, state=values["new_state"] or None, **said, **how)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Leave the components to the service."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        publishing.withdraw(obj, by=request.user, origin=Origin.ADMIN)  # type: ignore[arg-type]

    @admin.display(description=_("State"))
    def kind_and_state(self, row: PublicIncident) -> str:
        return f"{row.get_kind_display()}: {row.get_state_display()}"

    @admin.display(description=_("Incident"))
    def about(self, row: PublicIncident) -> SafeString | str:
        """Return a link to the incident for those who see it."""
        viewer: Any = row.viewer  # type: ignore[attr-defined]  # set by get_object
        seen = Incident.objects.visible_to(viewer).filter(pk=row.incident_id or 0).first()
        if seen is None:
            return "–"
        url = reverse("admin:incidents_incident_change", args=[seen.pk])
        return format_html('<a class="ir-link" href="{}">{}</a>', url, seen)

    @admin.display(description=_("Updates"))
    def said(self, row: PublicIncident) -> SafeString:
        updates = row.updates.order_by("-at", "-id")[:MOST_UPDATES]
        return format_html_join(
            "",
            "<p><b>{}</b> {}<br>{}</p>",
            ((one.get_state_display(), exactly(one.at), one.message) for one in updates),
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.viewer = request.user
        return row


def _publish(values: dict[str, Any], how: dict[str, Any]) -> PublicIncident:
    names = ("title", "message", "components", "incident", "translations", "tell", "starts_at")
    shared = {name: values[name] for name in names}
    if values["kind"] == Kind.MAINTENANCE:
        return maintenance.plan(ends_at=values["ends_at"], **shared, **how)
    return publishing.publish(impact=values["impact"], state=values["state"], **shared, **how)


class UpdateForm(RefusableForm):
    """Another text for an update."""

    class Meta:
        model = PublicUpdate
        fields = ("message", "translations")
        widgets = {"message": UnfoldAdminTextareaWidget}

    translations = TranslationsField("message")


@admin.register(PublicUpdate)
class PublicUpdateAdmin(BackOfficeAdmin):
    """Messages to the public, and their corrections."""

    form = UpdateForm
    ordering = ("-id",)
    list_display = ("public_incident", "state", "at", "corrected_at")
    list_select_related = ("public_incident",)
    list_filter = (("state", ChoicesDropdownFilter),)
    fields = ("public_incident", "state", "at", "corrected_at", "message", "translations", "texts_before")
    readonly_fields = ("public_incident", "state", "at", "corrected_at", "texts_before")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        texts = {name: form.cleaned_data[name] for name in ("message", "translations")}
        if form.edited:
            publishing.correct_update(obj, by=request.user, origin=Origin.ADMIN, **texts)  # type: ignore[arg-type]

    @admin.display(description=_("Earlier texts"))
    def texts_before(self, row: PublicUpdate) -> SafeString | str:
        return format_html_join("", "<p>{}</p>", ((text["message"],) for text in row.earlier)) or "–"


@admin.register(ImpactSpan)
class ImpactSpanAdmin(ReadOnlyAdmin):
    """From when to when a component was affected."""

    ordering = ("-id",)
    list_display = ("component", "impact", "began_at", "ended_at", "public_incident")
    list_select_related = ("component", "public_incident")
    list_filter = (("impact", ChoicesDropdownFilter),)
    fields = ("component", "public_incident", "impact", "began_at", "ended_at")
