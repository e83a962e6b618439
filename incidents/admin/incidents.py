"""The incident list and form."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core.backoffice.badges import severity_badge
from core.backoffice.base import BackOfficeAdmin
from core.backoffice.paging import KeysetChangeList
from core.errors import DomainError, StaleVersion
from incidents import search, services
from incidents.admin import filters
from incidents.admin.actions import BulkActions
from incidents.admin.badges import age, due_mark, status_badge
from incidents.admin.forms import IncidentForm, UpdateFields
from incidents.admin.pages import IncidentPages, page_context
from incidents.models import Incident, Origin
from incidents.vocabulary import DEFAULT_VISIBILITY
from users.models import User

FACTS = ("status_column", "created_at", "occurred_at", "acknowledged_at", "resolved_at", "closed_at", "reporter")


class IncidentChangeList(KeysetChangeList):
    """A list that searches as the API does, page by page."""

    query: str

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Incident]:
        """Leave the text to `fetch`."""
        text, self.query = self.query, ""
        rows = super().get_queryset(request, exclude_parameters)
        self.query = text
        return rows

    def fetch(self, ordered: QuerySet[Incident], limit: int) -> list[Incident]:
        if not self.query.strip():
            return super().fetch(ordered, limit)
        return search.first_matching(lambda: ordered, self.query, limit=limit, reads_internal=True)

    def _first_page(self, rows: QuerySet[Incident]) -> tuple[list[Incident], bool]:
        if not self.query.strip():
            return super()._first_page(rows)
        found, has_more = self._page(rows)
        self.is_capped = has_more
        return found, has_more


@admin.register(Incident)
class IncidentAdmin(IncidentPages, BulkActions, BackOfficeAdmin):
    """Incidents; every write goes through incidents.services."""

    form = IncidentForm
    ordering = ("-created_at", "-id")
    list_display = (
        "reference_column",
        "title_column",
        "severity_column",
        "status_column",
        "team",
        "assignee",
        "age",
        "due",
    )
    list_display_links = ("reference_column", "title_column")
    list_select_related = ("team", "assignee")
    sortable_by = ("severity_column", "age")
    search_fields = ("title",)
    search_help_text = gettext_lazy("Words, or a reference such as INC-1042")
    autocomplete_fields = ("services", "team", "assignee")
    readonly_fields = FACTS
    actions = (
        "acknowledge",
        "resolve",
        "assign_to_me",
        "assign_team",
        "assign_person",
        "restore_selected",
        "purge_selected",
    )
    list_before_template = "admin/incidents/list_above.html"
    change_form_before_template = "admin/incidents/version.html"
    change_form_outer_before_template = "admin/incidents/panel.html"
    change_form_outer_after_template = "admin/incidents/below.html"
    fieldsets = (
        (None, {"fields": ("title", "description")}),
        (gettext_lazy("Urgency"), {"fields": (("severity", "priority"), ("category", "location"), "services")}),
        (gettext_lazy("Assignment"), {"fields": (("team", "assignee"), "is_restricted")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        """Return what the person may see; for administrators, deleted incidents too."""
        user: User = request.user  # type: ignore[assignment]
        rows = Incident.objects.all() if user.is_superuser else Incident.objects.visible_to(user)
        return rows.order_by(*self.ordering)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return IncidentChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Incident], search_term: str
    ) -> tuple[QuerySet[Incident], bool]:
        """Search for autocompletes."""
        if not search_term.strip():
            return queryset, False
        return search.filter_matching(queryset, search_term, reads_internal=True), False  # type: ignore[arg-type]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Let administrators filter by any assignee and by deletion."""
        shown: list[Any] = [
            filters.OpenFilter,
            filters.StatusFilter,
            filters.SeverityFilter,
            filters.TeamFilter,
            filters.CategoryFilter,
            filters.ServiceFilter,
            filters.AssigneeFilter,
            filters.BreachFilter,
            filters.ReportedFilter,
            filters.RestrictedFilter,
        ]
        if request.user.is_superuser:
            shown += [("assignee", AutocompleteSelectFilter), filters.DeletedFilter]
        return shown

    @admin.display(description=gettext_lazy("Reference"), ordering="-id")
    def reference_column(self, incident: Incident) -> str:
        return incident.reference

    @admin.display(description=gettext_lazy("Title"))
    def title_column(self, incident: Incident) -> SafeString:
        mark = format_html(' <span class="ir-badge">{}</span>', _("restricted")) if incident.is_restricted else ""
        return format_html('<span class="ir-title">{}</span>{}', incident.title, mark)

    @admin.display(description=gettext_lazy("Severity"), ordering="severity")
    def severity_column(self, incident: Incident) -> SafeString:
        return severity_badge(incident.severity)

    @admin.display(description=gettext_lazy("Status"))
    def status_column(self, incident: Incident) -> SafeString:
        return status_badge(incident.status)

    @admin.display(description=gettext_lazy("Age"), ordering="-created_at")
    def age(self, incident: Incident) -> SafeString:
        return format_html('<span class="ir-nowrap">{}</span>', age(incident))

    @admin.display(description=gettext_lazy("Due"))
    def due(self, incident: Incident) -> str:
        return due_mark(incident)

    def has_change_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Let administrators edit what is not deleted."""
        return super().has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def get_fieldsets(self, request: HttpRequest, obj: Incident | None = None) -> Any:
        shown = list(super().get_fieldsets(request, obj))
        return [*shown, (gettext_lazy("Times"), {"fields": FACTS, "classes": ["collapse"]})] if obj else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> Any:
        """Return the times; a read-only page would add the priority."""
        return FACTS

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        """Open the incident, or update the changed fields of the version on the page."""
        by: User = request.user  # type: ignore[assignment]
        update = {name: form.cleaned_data.get(name) for name in UpdateFields.base_fields}
        known = {name: value for name, value in form.cleaned_data.items() if name not in update}
        if not change:
            filled = {name: value for name, value in known.items() if value not in (None, "")}
            obj.pk = services.open_incident(services.NewIncident(**filled), by=by, origin=Origin.ADMIN).pk
            return
        fields = {name: known[name] for name in form.changed_data if name in known}
        services.update(obj, by=by, fields=fields, origin=Origin.ADMIN, expected_versions={seen_version(request, obj)})
        if update["message"]:
            visibility = update["visibility"] or DEFAULT_VISIBILITY
            services.comment(obj, update["message"], by=by, visibility=visibility, origin=Origin.ADMIN)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: `save_model` writes the services."""

    def delete_model(self, request: HttpRequest, obj: Incident) -> None:
        services.delete(obj, by=request.user, origin=Origin.ADMIN)  # type: ignore[arg-type]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List the incidents only, since deletion is soft."""
        rows = [str(incident) for incident in objs]
        return rows, {str(self.opts.verbose_name_plural): len(rows)}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the refusal where it was deleted meanwhile."""
        try:
            response: HttpResponse = super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            return self.show_refusal(request, error, self.list_url())
        return response

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "hides_ended": filters.hides_ended(request)}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        incident = self.get_object(request, object_id)
        around = page_context(incident, request.user) if incident else {}  # type: ignore[arg-type]
        context = {
            **(extra_context or {}),
            **around,
            "title": str(incident or ""),
            "subtitle": None,
            "show_save_and_add_another": False,
        }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


def seen_version(request: HttpRequest, incident: Incident) -> int:
    """Return the version that the form was filled from. Raises StaleVersion."""
    text = request.POST.get("seen_version", "")
    if not (text.isascii() and text.isdigit()):
        raise StaleVersion(_("The form does not say which version of the incident it shows; open the page again."))
    return int(text)
