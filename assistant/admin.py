"""Verdicts in the back office: administrators read which suggestions were useful."""

from typing import Any

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from assistant.models import Verdict
from core.backoffice.base import ReadOnlyAdmin


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    """Who found what useful."""

    ordering = ("-at", "-id")
    list_display = ("suggestion", "incident", "kind", "is_useful", "user", "at")
    list_select_related = ("incident", "user")
    list_filter: tuple[Any, ...] = (("kind", ChoicesDropdownFilter), "is_useful")
    fields = ("incident", "suggestion", "kind", "is_useful", "user", "at", "snapshot")
