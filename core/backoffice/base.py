"""Base classes of admin pages."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core.api.configuration import lock_row
from core.backoffice.paging import BoundedPaginator, KeysetChangeList
from core.db.usage import Usage, instead_of_deleting, off_state_of, refusal_of, switch_of, usage_of
from core.errors import DomainError, conflict_of


class RefusableForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is generic to type checkers only
    """A form that shows a service's refusal beside its input."""

    refusal: DomainError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tells_initial = any(name.startswith(self.add_initial_prefix("")) for name in self.data)
        if self.instance.pk is None or (self.is_bound and not tells_initial):
            return
        # Opening values tell concurrent changes from edits. Never passwords.
        for field in self.fields.values():
            field.show_hidden_initial = getattr(field.widget, "input_type", "") != "password"

    @property
    def edited(self) -> list[str]:
        columns = {field.name for field in self._meta.model._meta.concrete_fields}
        return [name for name in self.changed_data if name in columns]

    def _post_clean(self) -> None:
        if self.instance.pk is None:
            super()._post_clean()
            return
        untouched = {
            name: self.cleaned_data.pop(name) for name in [*self.cleaned_data] if name not in self.changed_data
        }
        super()._post_clean()
        self.cleaned_data |= untouched

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.refusal is not None:
            field = self.refusal.field
            self.add_error(field if field in self.fields else None, self.refusal.message)
        return cleaned


class BackOfficeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """A model's pages: bounded lists, refusals on the form, audited history."""

    form = RefusableForm
    paginator = BoundedPaginator
    list_per_page = 50
    list_filter_submit = True
    list_disable_select_all = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    sortable_by: Iterable[str] = ()
    warn_unsaved_form = True
    # Related rows have their own pages.
    has_related_buttons = False
    delete_confirmation_template = "admin/delete_or_switch_off.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.SplitDateTimeField):
            field.help_text = f"{field.help_text} {zone_note()}".strip()
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, self.has_related_buttons)
        return field

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except (DomainError, IntegrityError) as error:
            refusal = error if isinstance(error, DomainError) else conflict_of(error)
            if refusal is None:
                raise
            request.refusal = refusal  # type: ignore[attr-defined]
            response = super().changeform_view(request, *args, **kwargs)
        return response

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": RefusableForm, **kwargs})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        lock_row(obj)
        row = self.model._base_manager.get(pk=obj.pk)
        for name in form.edited:
            setattr(row, name, getattr(obj, name))
        if refusal := refusal_of(row):
            raise DomainError(refusal)
        row.save(update_fields=form.edited)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete each as its own page does, and report refusals."""
        for row in queryset:
            try:
                self.delete_model(request, row)
            except DomainError as error:
                messages.error(request, error.message)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Run on the ticked rows, never on all matches."""
        if request.POST.get("select_across", "0") not in ("", "0"):
            messages.error(request, gettext("Choose the rows one page at a time."))
            return HttpResponseRedirect(request.get_full_path())
        response: HttpResponse | None = super().response_action(request, queryset)
        return response

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Count what goes too, without reading every related row."""
        rows = list(objs)
        protected = [self._usage_line(row, usage) for row in rows for usage in usage_of(row)]
        return [str(row) for row in rows], {str(self.opts.verbose_name_plural): len(rows)}, set(), protected

    def _usage_line(self, row: Model, usage: Usage) -> str:
        options = usage.model._meta
        if usage.model not in self.admin_site._registry:
            return f"{row}: {usage}"
        url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        query = f"{usage.field}__{row._meta.pk.name}__exact={row.pk}"
        return format_html('{}: <a class="ir-link" href="{}?{}">{}</a>', row, url, query, usage)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        row = self.get_object(request, object_id)
        instead, why_not = instead_of_deleting(row) if row is not None else ("", "")
        context = {**(extra_context or {}), "instead": instead, "why_not": why_not}
        response: HttpResponse = super().delete_view(request, object_id, context)
        return response

    def get_urls(self) -> list[Any]:
        if switch_of(self.model) is None:
            return super().get_urls()  # type: ignore[no-any-return]
        name = f"{self.opts.app_label}_{self.opts.model_name}_switch_off"
        view = self.admin_site.admin_view(self.switch_off_view)
        return [path("<path:object_id>/switch-off/", view, name=name), *super().get_urls()]

    def switch_off_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Disable a row instead of deleting it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_change_permission(request) and self.has_delete_permission(request)):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        attempt(
            request,
            lambda: self.switch_off(row),
            done=gettext("%(row)s is %(of)s.") % {"row": row, "of": off_state_of(self.model)},
        )
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        )

    def switch_off(self, row: Any) -> None:
        """Disable it. Raises DomainError."""
        switch = switch_of(self.model)
        assert switch is not None  # noqa: S101 (the address is there only where it is)
        setattr(row, switch, False)
        if refusal := refusal_of(row):
            raise DomainError(refusal)
        row.save(update_fields=[switch])

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not getattr(request.user, "is_superuser", False):
            raise PermissionDenied
        content_type = ContentType.objects.get_for_model(self.model)
        log = reverse("admin:auditlog_logentry_changelist")
        return HttpResponseRedirect(f"{log}?content_type__id__exact={content_type.pk}&object_pk={object_id}")

    # Django's admin log would repeat the audit log.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave it to the audit log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave it to the audit log."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Leave it to the audit log."""


class RetirableAdmin:
    """Rows that can be retired: pickers omit them."""

    @display(description=_("State"), label={"in use": "success", "retired": "default"})  # type: ignore[untyped-decorator]
    def state(self, row: Any) -> tuple[str, str]:
        return ("in use", gettext("in use")) if row.is_active else ("retired", gettext("retired"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        rows, may_repeat = super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        is_picker = request.path == reverse("admin:autocomplete")
        return (rows.filter(is_active=True) if is_picker else rows), may_repeat


class ReadOnlyAdmin(BackOfficeAdmin):
    """Records that nobody changes."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def exactly(moment: dt.datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def zone_note() -> str:
    """Return the zone of this request's times."""
    zone = timezone.get_current_timezone_name()
    return gettext("Times are in %(zone)s, your account's time zone.") % {"zone": zone}


def attempt(request: HttpRequest, work: Callable[[], Any], *, done: str) -> bool:
    """Call a service and show the outcome; return success."""
    try:
        work()
    except DomainError as error:
        messages.error(request, error.message)
        return False
    messages.success(request, done)
    return True
