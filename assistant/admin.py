"""Back office pages of suggestions: administrators read which were useful, and which were right."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from assistant.models import ModelBudget, ModelCall, ModelSwitch, RoutingModel, RoutingSuggestion, Verdict
from assistant.models.calls import ONLY
from assistant.services import budget, provider
from assistant.services.accuracy import value_names
from core.backoffice.base import BackOfficeAdmin, ReadOnlyAdmin
from core.text.sentences import shown


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


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnlyAdmin):
    """The ledger: what a language model was asked, what it cost, and what became of it. No prompt is kept."""

    ordering = ("-id",)
    list_display = ("id", "created_at", "incident", "task", "state", "outcome", "model", "tokens", "cost", "asked_by")
    list_select_related = ("incident", "asked_by")
    list_filter: tuple[Any, ...] = (
        ("outcome", ChoicesDropdownFilter),
        ("task", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
    )
    fields = (
        *(
            "incident",
            "task",
            "state",
            "outcome",
            "why",
            "asked_by",
            "created_at",
            "ended_at",
            "duration_ms",
            "attempts",
        ),
        *("provider", "model", "tokens_in", "tokens_out", "cost", "tools_ignored", "prompt_digest"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelCall]:
        return ModelCall.objects.defer("rows", "result")

    @admin.display(description=_("tokens"))
    def tokens(self, call: ModelCall) -> str:
        return f"{call.tokens_in:,} + {call.tokens_out:,}"

    @admin.display(description=_("cost (USD)"))
    def cost(self, call: ModelCall) -> str:
        return f"{call.cost_micros / budget.MICROS:.4f}" if call.cost_micros else "—"

    @admin.display(description=_("reason"))
    def why(self, call: ModelCall) -> str:
        return shown(call.reason)


@admin.register(ModelBudget)
class ModelBudgetAdmin(ReadOnlyAdmin):
    """What days and incidents have used of their budgets, with what is reserved."""

    ordering = ("-id",)
    list_display = ("scope", "amount")
    fields = ("scope", "amount")

    @admin.display(description=_("used"))
    def amount(self, row: ModelBudget) -> str:
        if budget.has_prices():
            return f"{row.used / budget.MICROS:.4f} USD"
        return _("%(count)s tokens") % {"count": f"{row.used:,}"}


@admin.register(ModelSwitch)
class ModelSwitchAdmin(BackOfficeAdmin):
    """The switch that stops all questions to the model at once, and the circuit breaker."""

    ordering = ("id",)
    list_display = ("__str__", "is_enabled", "failures", "open_until")
    fields = ("is_enabled", "failures", "open_until", "last_failure", "failed_at")
    readonly_fields = ("failures", "open_until", "last_failure", "failed_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        ModelSwitch.objects.get_or_create(pk=ONLY)
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def save_model(self, request: HttpRequest, obj: ModelSwitch, form: Any, change: bool) -> None:
        provider.set_enabled(obj.is_enabled)
