"""Admin pages of the page itself, its groups, components and templates."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from core.backoffice.base import BackOfficeAdmin, RefusableForm, RetirableAdmin
from status_page.admin.fields import CodesField, TranslationsField
from status_page.models import Component, ComponentGroup, StatusPage, UpdateTemplate
from status_page.services import components, page, templates
from users.admin.people import zone_choices


class ServicedAdmin(BackOfficeAdmin):
    """Rows that services write; the fields edited are theirs to check."""

    add: Callable[..., Any]
    edit: Callable[..., Any]
    remove: Callable[..., Any]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        kind = type(self)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.edited}
            kind.edit(obj, by=request.user, changes=changes)
            return
        values = {name: value for name, value in form.cleaned_data.items() if name in form.fields}
        obj.pk = kind.add(by=request.user, values=values).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        type(self).remove(obj, by=request.user)


class PageForm(RefusableForm):
    class Meta:
        model = StatusPage
        fields = (
            *("name", "about", "support_url", "languages", "time_zone", "translations"),
            *("is_private", "takes_subscribers"),
        )

    languages = CodesField(label=_("languages"), help_text=_("Codes separated by commas, the main one first: en, de"))
    time_zone = forms.ChoiceField(label=_("time zone"), choices=zone_choices, widget=UnfoldAdminSelect2Widget)
    translations = TranslationsField("name", "about")
    new_logo = forms.FileField(
        label=_("logo"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("PNG, JPEG, WebP or GIF; empty leaves it as it is."),
    )
    removes_logo = forms.BooleanField(label=_("Remove the logo"), required=False, widget=UnfoldBooleanSwitchWidget)


@admin.register(StatusPage)
class StatusPageAdmin(BackOfficeAdmin):
    """The page itself: how it presents itself, and to whom."""

    form = PageForm
    ordering = ("id",)
    list_display = ("name", "codes", "is_private", "takes_subscribers", "revision", "written_at")
    fieldsets = (
        (None, {"fields": ("name", "about", "support_url", ("languages", "time_zone"), "translations")}),
        (_("Logo"), {"fields": ("new_logo", "removes_logo")}),
        (_("Readers"), {"fields": (("is_private", "takes_subscribers"),)}),
    )
    change_form_outer_before_template = "admin/status_page/page_panel.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        page.the_page()
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by: Any = request.user
        if edited := {name: form.cleaned_data[name] for name in form.edited}:
            page.edit_page(by=by, changes=edited)
        logo = form.cleaned_data.get("new_logo")
        if logo:
            page.set_logo(by=by, data=logo.read(page.MAX_UPLOAD_BYTES + 1))
        elif form.cleaned_data.get("removes_logo"):
            page.set_logo(by=by, data=None)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.access_key_view)
        name = "status_page_statuspage_new_key"
        return [path("<int:pk>/access-key/", view, name=name), *super().get_urls()]

    def access_key_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Replace the key of a private page, and show it once."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = page.new_access_key(by=request.user)  # type: ignore[arg-type]
        text = gettext("The access key is %(key)s. Copy it now: it is not shown again.")
        messages.warning(request, text % {"key": key})
        return HttpResponseRedirect(reverse("admin:status_page_statuspage_change", args=[pk]))

    @admin.display(description=_("languages"))
    def codes(self, row: StatusPage) -> str:
        return ", ".join(row.languages)


class GroupForm(RefusableForm):
    class Meta:
        model = ComponentGroup
        fields = ("name", "position", "translations")

    translations = TranslationsField("name")


@admin.register(ComponentGroup)
class ComponentGroupAdmin(ServicedAdmin):
    """Groups of components."""

    form = GroupForm
    ordering = ("position", "id")
    list_display = ("name", "position")
    search_fields = ("name__icontains",)
    fields = ("name", "position", "translations")
    add = staticmethod(components.add_group)
    edit = staticmethod(components.edit_group)
    remove = staticmethod(components.remove_group)

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return {"position": components.next_group_position(), **super().get_changeform_initial_data(request)}


class ComponentForm(RefusableForm):
    class Meta:
        model = Component
        fields = (
            *("name", "is_active", "description", "group", "service", "position"),
            *("shows_uptime", "translations"),
        )

    translations = TranslationsField("name", "description")


@admin.register(Component)
class ComponentAdmin(RetirableAdmin, ServicedAdmin):
    """What the public is told the state of."""

    form = ComponentForm
    ordering = ("position", "id")
    list_display = ("name", "group", "service", "position", "state")
    list_select_related = ("group", "service")
    search_fields = ("name__icontains",)
    autocomplete_fields = ("group", "service")
    fields = (
        *(("name", "is_active"), "description", ("group", "position"), "service"),
        *("shows_uptime", "translations"),
    )
    add = staticmethod(components.add_component)
    edit = staticmethod(components.edit_component)
    remove = staticmethod(components.remove_component)

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return {"position": components.next_position(), **super().get_changeform_initial_data(request)}

    def switch_off(self, row: Component) -> None:
        """Take it off the page."""
        super().switch_off(row)
        page.changed()


class TemplateForm(RefusableForm):
    class Meta:
        model = UpdateTemplate
        fields = ("name", "kind", "state", "title", "message", "translations")
        widgets = {"message": UnfoldAdminTextareaWidget}

    translations = TranslationsField("title", "message")


@admin.register(UpdateTemplate)
class UpdateTemplateAdmin(ServicedAdmin):
    """Texts that announcements begin with."""

    form = TemplateForm
    ordering = ("name",)
    list_display = ("name", "kind", "state", "title")
    search_fields = ("name__icontains",)
    fields = ("name", ("kind", "state"), "title", "message", "translations")
    add = staticmethod(templates.add_template)
    edit = staticmethod(templates.edit_template)
    remove = staticmethod(templates.remove_template)
