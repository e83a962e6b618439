"""Admin pages of runbooks, runs, freeze windows and the global stop; the services write."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from core.backoffice.base import BackOfficeAdmin, ReadOnlyAdmin, RefusableForm, attempt
from core.text.sentences import shown
from incidents.models import Origin
from remediation.models import (
    Agent,
    FreezeWindow,
    Run,
    Runbook,
    RunbookSecret,
    RunbookVersion,
    RunPhase,
    RunTarget,
    Stop,
)
from remediation.services import deciding, pausing, stopping
from responders.oncall.walltime import wall_of
from responders.validation import zone_or_utc


class ReadOnlyInline(TabularInline):  # type: ignore[misc]  # unfold is untyped
    """Rows that nobody changes."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_staff", False))


class VersionInline(ReadOnlyInline):
    model = RunbookVersion
    fields = readonly_fields = (
        *(
            "number",
            "risk",
            "parameters",
            "steps",
            "cooldown_seconds",
            "runbook_cooldown",
            "daily_cap",
            "daily_cap_per_target",
        ),
        *("max_targets", "max_percent", "automatic_for", "created_by", "created_at"),
    )


@admin.register(Runbook)
class RunbookAdmin(ReadOnlyAdmin):
    """Runbooks with their versions; the API edits them."""

    ordering = ("name",)
    list_display = ("name", "is_enabled", "current", "paused_at")
    list_select_related = ("current",)
    search_fields = ("name__icontains",)
    fields = (("name", "is_enabled"), "description", ("failures", "paused_at"), "paused", "created_at")
    inlines = (VersionInline,)
    actions = ("release_selected",)

    @admin.display(description=gettext_lazy("paused because"))
    def paused(self, runbook: Runbook) -> str:
        return shown(runbook.paused_because)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    @admin.action(description=pgettext_lazy("runbook", "Release"), permissions=["act"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Runbook]) -> None:
        for runbook in queryset:
            work = partial(pausing.release, runbook, by=request.user)  # type: ignore[arg-type]
            attempt(request, work, done=_("%(name)s may run again.") % {"name": runbook})


class TargetInline(ReadOnlyInline):
    model = RunTarget
    fields = readonly_fields = ("step", "kind", "name", "details")


class PhaseInline(ReadOnlyInline):
    model = RunPhase
    fields = readonly_fields = ("target", "phase", "state", "attempts", "output", "started_at", "finished_at")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs of incidents that the person sees, with what was done."""

    ordering = ("-id",)
    list_display = ("__str__", "runbook", "incident", "shown_state", "proposed_by", "approved_by", "created_at")
    list_select_related = ("runbook", "version", "incident", "proposed_by", "approved_by")
    list_filter = (("state", ChoicesDropdownFilter),)
    fieldsets = (
        (None, {"fields": (("runbook", "version"), ("incident", "shown_state"), "reason", "parameters", "digest")}),
        (
            gettext_lazy("People"),
            {"fields": (("proposed_by", "is_automatic"), "approved_by", "executed_by", "override_reason")},
        ),
        (
            gettext_lazy("Times"),
            {"fields": (("created_at", "expires_at"), ("approved_at", "dry_run_at"), ("started_at", "finished_at"))},
        ),
        (gettext_lazy("Settled"), {"fields": (("settled_at", "settled_by"), "finding", "settled_note")}),
    )
    inlines = (TargetInline, PhaseInline)
    actions = ("reject_selected", "abort_selected")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        viewer: Any = request.user
        return Run.objects.visible_to(viewer)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, run: Run) -> str:
        return run.state_label

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, run: Run) -> str:
        return shown(run.why)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_staff", False))

    @admin.action(description=gettext_lazy("Reject"), permissions=["act"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, deciding.reject, _("Rejected."))

    @admin.action(description=gettext_lazy("Abort"), permissions=["act"])
    def abort_selected(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, deciding.abort, _("Aborted before the next step."))

    def _each(self, request: HttpRequest, runs: QuerySet[Run], work: Callable[..., Run], done: str) -> None:
        for run in runs:
            attempt(request, partial(work, run, by=request.user, origin=Origin.ADMIN), done=f"{run}: {done}")


class FreezeWindowForm(RefusableForm):
    """A window whose times are those of its zone."""

    def _zone(self) -> ZoneInfo:
        zone = self.data.get("time_zone") if self.is_bound else self.instance.time_zone
        return ZoneInfo(zone_or_utc(zone))

    @cached_property
    def changed_data(self) -> list[str]:
        """Name the times too where the zone is another: they are read in it."""
        names = super().changed_data
        return list(dict.fromkeys([*names, "starts_at", "ends_at"])) if "time_zone" in names else names

    def full_clean(self) -> None:
        with timezone.override(self._zone()):
            super().full_clean()

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        """Return a time as the clocks of the stored zone show it."""
        initial = super().get_initial_for_field(field, field_name)
        if isinstance(initial, dt.datetime) and timezone.is_aware(initial):
            return wall_of(initial, ZoneInfo(self.instance.time_zone))
        return initial


@admin.register(FreezeWindow)
class FreezeWindowAdmin(BackOfficeAdmin):
    """Change freezes."""

    form = FreezeWindowForm
    ordering = ("starts_at", "id")
    list_display = ("name", "starts_at", "ends_at", "is_weekly")
    search_fields = ("name__icontains",)
    autocomplete_fields = ("teams", "services")
    fields = ("name", ("starts_at", "ends_at"), ("is_weekly", "time_zone"), "teams", "services")


@admin.register(Stop)
class StopAdmin(BackOfficeAdmin):
    """Global stops; adding one stops all remediation, and the action releases it."""

    ordering = ("-id",)
    list_display = ("stopped_at", "reason", "stopped_by", "released_at", "released_by")
    list_select_related = ("stopped_by", "released_by")
    fields = ("reason",)
    actions = ("release_selected",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("reason",) if obj is None else ("reason", "stopped_by", "stopped_at", "released_by", "released_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made = stopping.stop(by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
        obj.pk, obj.stopped_at = made.pk, made.stopped_at

    @admin.action(description=pgettext_lazy("stop", "Release"), permissions=["act"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Stop]) -> None:
        work = partial(stopping.release, by=request.user)  # type: ignore[arg-type]
        attempt(request, work, done=_("Remediation may go on."))


@admin.register(RunbookSecret)
class RunbookSecretAdmin(ReadOnlyAdmin):
    """Secrets that steps name, without their values; the console sets them."""

    ordering = ("name",)
    list_display = ("name", "url_prefix", "header", "updated_by", "updated_at")
    list_select_related = ("updated_by",)
    fields = ("name", "url_prefix", "header", "updated_by", "updated_at")


@admin.register(Agent)
class AgentAdmin(BackOfficeAdmin):
    """Agents on machines; the console makes them and their keys."""

    ordering = ("name",)
    list_display = ("name", "is_enabled", "last_seen_at", "version")
    search_fields = ("name__icontains",)
    fields = (
        ("name", "is_enabled"),
        "description",
        ("key_prefix", "old_key_until"),
        "last_seen_at",
        "version",
        "commands",
    )
    readonly_fields = ("key_prefix", "old_key_until", "last_seen_at", "version", "commands")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
