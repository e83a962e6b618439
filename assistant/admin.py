"""Back office pages of suggestions: administrators read which were useful, and which were right."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from assistant.models import RoutingModel, RoutingSuggestion, Verdict
from assistant.services.accuracy import value_names
from core.backoffice.base import ReadOnlyAdmin


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    """Who found what useful."""

    ordering = ("-at", "-id")
    list_display = ("suggestion", "incident", "kind", "is_useful", "user", "at")
    list_select_related = ("incident", "user")
    list_filter: tuple[Any, ...] = (("kind", ChoicesDropdownFilter), "is_useful")
    fields = ("incident", "suggestion", "kind", "is_useful", "user", "at", "snapshot")


@admin.register(RoutingSuggestion)
class RoutingSuggestionAdmin(ReadOnlyAdmin):
    """What was suggested for incidents that people reported, and what they became."""

    ordering = ("-id",)
    list_display = ("incident", "field", "suggested_name", "confidence", "became_name", "outcome", "at")
    list_select_related = ("incident",)
    list_filter: tuple[Any, ...] = (("field", ChoicesDropdownFilter), ("outcome", ChoicesDropdownFilter))
    fields = (
        *("incident", "field", "suggested_name", "ranked", "confidence", "became_name", "outcome"),
        *("model_version", "origin", "at", "judged_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return RoutingSuggestion.objects.counted()

    @admin.display(description=_("suggested"))
    def suggested_name(self, row: RoutingSuggestion) -> str:
        return value_names([row])[row.field, row.suggested] or "—"

    @admin.display(description=_("became"))
    def became_name(self, row: RoutingSuggestion) -> str:
        return value_names([row])[row.field, row.became] or "—"


@admin.register(RoutingModel)
class RoutingModelAdmin(ReadOnlyAdmin):
    """Trainings: from how much, and how well each did on what it had not seen."""

    ordering = ("-id",)
    list_display = ("id", "trained_at", "incidents", "milliseconds")
    fields = ("trained_at", "newest_at", "incidents", "milliseconds", "figures")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return RoutingModel.objects.defer("weights")
