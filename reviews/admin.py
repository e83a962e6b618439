"""Admin pages of reviews, what they are made of, action items and rules; the services write."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.backoffice.badges import severity_badge
from core.backoffice.base import BackOfficeAdmin, RefusableForm
from incidents.admin.configuration import WordsField
from incidents.models import Origin
from reviews.models import ActionItem, Factor, Moment, Participant, Review, ReviewRule
from reviews.services import drafting, editing, items
from status_page.admin.fields import TranslationsField

TEXTS = ("summary", "impact", "surprises", "went_well", "went_badly")
PUBLIC = ("public_title", "public_text", "public_translations")


class ReviewForm(RefusableForm):
    """A review's own fields."""

    class Meta:
        model = Review
        fields = ("title", "state", "owner", "due_at", *TEXTS, "themes", *PUBLIC)

    themes = WordsField(label=_("themes"), required=False, help_text=_("One per line."))
    public_translations = TranslationsField("title", "text")


class NewReviewForm(RefusableForm):
    """A review to draft."""

    class Meta:
        model = Review
        fields = ("incident", "owner")

    def _post_clean(self) -> None:
        """Leave the row to the service."""


@admin.register(Review)
class ReviewAdmin(BackOfficeAdmin):
    """Reviews; a new one is drafted from the incident's timeline."""

    ordering = ("-id",)
    list_display = ("title", "incident", "state", "owner", "due_at", "completed_at")
    list_select_related = ("incident", "owner")
    list_filter = (("state", ChoicesDropdownFilter),)
    search_fields = ("title__icontains",)
    autocomplete_fields = ("incident", "owner")
    readonly_fields = ("rule", "completed_at", "published_at", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        viewer: Any = request.user
        return Review.objects.visible_to(viewer)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = NewReviewForm if obj is None else ReviewForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("incident", "owner")})]
        return [
            (None, {"fields": ("title", ("state", "owner"), "due_at", ("rule", "completed_at"), "created_at")}),
            (_("Contents"), {"fields": (*TEXTS, "themes")}),
            (_("Public edition"), {"fields": (*PUBLIC, "published_at")}),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by: Any = request.user
        values = form.cleaned_data
        if not change:
            made = drafting.start_review(values["incident"], by=by, owner=values["owner"], origin=Origin.ADMIN)
            obj.pk, obj.title = made.pk, made.title
            return
        changes = {name: values[name] for name in form.edited if name != "state"}
        if changes:
            editing.edit_review(obj, by=by, changes=changes)
        if "state" in form.edited:
            editing.move_review(obj, by=by, state=values["state"], origin=Origin.ADMIN)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        editing.delete_review(obj, by=request.user)  # type: ignore[arg-type]


class OfReviewAdmin(BackOfficeAdmin):
    """Rows of a review that a service adds, edits and removes."""

    ordering = ("-id",)
    list_select_related = ("review",)
    add: ClassVar[Callable[..., Any]]
    edit: ClassVar[Callable[..., Any]]
    remove: ClassVar[Callable[..., Any]]
    fixed: ClassVar[tuple[str, ...]] = ("review",)  # once it is there

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        seen: QuerySet[Any] = super().get_queryset(request)
        viewer: Any = request.user
        return seen.filter(Exists(Review.objects.visible_to(viewer).order_by().filter(pk=OuterRef("review"))))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fixed if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        service = type(self)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.edited}
            if changes:
                service.edit(obj, by=request.user, changes=changes)
            return
        values = {name: form.cleaned_data[name] for name in form.fields if name != "review"}
        made = service.add(form.cleaned_data["review"], by=request.user, **values)
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        type(self).remove(obj, by=request.user)


@admin.register(Moment)
class MomentAdmin(OfReviewAdmin):
    """Steps of narratives."""

    list_display = ("__str__", "review", "at")
    search_fields = ("text__icontains",)
    autocomplete_fields = ("review",)
    fields = ("review", "at", "text")
    add, edit, remove = (
        staticmethod(editing.add_moment),
        staticmethod(editing.edit_moment),
        staticmethod(editing.remove_moment),
    )


@admin.register(Factor)
class FactorAdmin(OfReviewAdmin):
    """Contributing factors."""

    list_display = ("__str__", "review", "position")
    search_fields = ("text__icontains",)
    autocomplete_fields = ("review",)
    fields = ("review", "position", "text")
    add, edit, remove = (
        staticmethod(editing.add_factor),
        staticmethod(editing.edit_factor),
        staticmethod(editing.remove_factor),
    )


@admin.register(Participant)
class ParticipantAdmin(OfReviewAdmin):
    """Who was involved, was interviewed, or reviews."""

    list_display = ("user", "part", "review")
    list_select_related = ("review", "user")
    list_filter = (("part", ChoicesDropdownFilter),)
    autocomplete_fields = ("review", "user")
    fields = ("review", "user", "part", "notes")
    fixed = ("review", "user")
    add, edit, remove = (
        staticmethod(editing.add_participant),
        staticmethod(editing.edit_participant),
        staticmethod(editing.remove_participant),
    )


@admin.register(ActionItem)
class ActionItemAdmin(OfReviewAdmin):
    """Action items."""

    ordering = ("-id",)
    list_display = ("title", "review", "owner", "due_on", "state")
    list_select_related = ("review", "owner")
    list_filter = (("state", ChoicesDropdownFilter),)
    search_fields = ("title__icontains",)
    autocomplete_fields = ("review", "owner")
    add, edit, remove = (
        staticmethod(items.add_item),
        staticmethod(items.edit_item),
        staticmethod(items.remove_item),
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        shown = ("review", "title", "description", ("owner", "due_on"), "url")
        return shown if obj is None else (*shown, "state")


@admin.register(ReviewRule)
class ReviewRuleAdmin(BackOfficeAdmin):
    """Rules that require reviews."""

    ordering = ("-min_severity", "id")
    list_display = ("name", "severity_column", "team", "within_days", "is_enabled")
    list_select_related = ("team",)
    search_fields = ("name__icontains",)
    autocomplete_fields = ("team",)
    fields = (("name", "is_enabled"), ("min_severity", "team"), "within_days")

    @admin.display(description=_("Severity from"))
    def severity_column(self, rule: ReviewRule) -> str:
        return severity_badge(rule.min_severity)
