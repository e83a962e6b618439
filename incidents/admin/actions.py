"""Bulk actions of the incident list: each incident has its own transaction and result."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from core.errors import DomainError
from incidents import services
from incidents.admin.forms import NoteForm, PersonForm, TeamForm
from incidents.admin.pages import ended_message
from incidents.models import Incident, Origin, Status
from users.models import User

MOST_AT_ONCE = 200
MOST_MESSAGES = 10

Rows = QuerySet[Incident]

ACKNOWLEDGED = ngettext_lazy("%(number)s incident acknowledged.", "%(number)s incidents acknowledged.", "number")
ASSIGNED_TO_YOU = ngettext_lazy(
    "%(number)s incident assigned to you.", "%(number)s incidents assigned to you.", "number"
)
ASSIGNED = ngettext_lazy(
    "%(number)s incident assigned to %(whom)s.", "%(number)s incidents assigned to %(whom)s.", "number"
)
RESOLVED = ngettext_lazy("%(number)s incident resolved.", "%(number)s incidents resolved.", "number")
RESTORED = ngettext_lazy("%(number)s incident restored.", "%(number)s incidents restored.", "number")
PURGED = ngettext_lazy("%(number)s incident purged.", "%(number)s incidents purged.", "number")


class BulkActions:
    """Actions of the incident list."""

    admin_site: Any
    opts: Any

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Allow staff; the service decides incident by incident."""
        return bool(getattr(request.user, "is_staff", False))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def get_actions(self, request: HttpRequest) -> Any:
        """Return the actions that suit the deleted, or the present, incidents."""
        actions = super().get_actions(request)  # type: ignore[misc]
        of_deleted = {"restore_selected", "purge_selected"}
        is_deleted_list = request.GET.get("deleted") == "yes"
        return {name: action for name, action in actions.items() if (name in of_deleted) == is_deleted_list}

    @admin.action(description=gettext_lazy("Acknowledge"), permissions=["work"])
    def acknowledge(self, request: HttpRequest, queryset: Rows) -> None:
        self._update_incidents(request, queryset, ACKNOWLEDGED, status=Status.ACKNOWLEDGED)

    @admin.action(description=gettext_lazy("Assign to me"), permissions=["work"])
    def assign_to_me(self, request: HttpRequest, queryset: Rows) -> None:
        for incident in queryset.filter(is_open=False)[:MOST_MESSAGES]:
            messages.error(request, ended_message(incident))
        self._update_incidents(
            request, queryset.filter(is_open=True), ASSIGNED_TO_YOU, fields={"assignee": request.user}
        )

    @admin.action(description=gettext_lazy("Resolve …"), permissions=["work"])
    def resolve(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        form = NoteForm(_posted_answer(request))
        if not form.is_valid():
            return self._confirm_action(request, queryset, form, "resolve", _("Resolve"))
        note = form.cleaned_data["note"]
        self._update_incidents(request, queryset, RESOLVED, status=Status.RESOLVED, note=note)
        return None

    @admin.action(description=gettext_lazy("Assign to a team …"), permissions=["work"])
    def assign_team(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        form = TeamForm(_posted_answer(request), incidents=queryset[:MOST_AT_ONCE])
        if not form.is_valid():
            return self._confirm_action(request, queryset, form, "assign_team", _("Assign"))
        fields = {"team": form.cleaned_data["team"]}
        how = {"note": form.cleaned_data["note"], "grants_access": form.is_granted}
        self._update_incidents(request, queryset, ASSIGNED, fields=fields, whom=fields["team"], **how)
        return None

    @admin.action(description=gettext_lazy("Assign to a person …"), permissions=["remove"])
    def assign_person(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        form = PersonForm(_posted_answer(request), incidents=queryset[:MOST_AT_ONCE])
        if not form.is_valid():
            return self._confirm_action(request, queryset, form, "assign_person", _("Assign"))
        fields = {"assignee": form.cleaned_data["assignee"]}
        how = {"note": form.cleaned_data["note"], "grants_access": form.is_granted}
        self._update_incidents(request, queryset, ASSIGNED, fields=fields, whom=fields["assignee"], **how)
        return None

    @admin.action(description=gettext_lazy("Restore"), permissions=["remove"])
    def restore_selected(self, request: HttpRequest, queryset: Rows) -> None:
        self._apply_service(request, queryset, services.restore, RESTORED, origin=Origin.ADMIN)

    @admin.action(description=gettext_lazy("Purge permanently …"), permissions=["remove"])
    def purge_selected(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        if "apply" not in request.POST:
            sentence = _("Permanently deletes these incidents, their timelines and files. This cannot be undone.")
            return self._confirm_action(
                request, queryset, None, "purge_selected", _("Purge"), sentence=sentence, is_danger=True
            )
        self._apply_service(request, queryset, services.purge, PURGED)
        return None

    def _update_incidents(
        self, request: HttpRequest, queryset: Rows, done: Any, *, whom: object = "", **change: Any
    ) -> None:
        ids = list(queryset.values_list("pk", flat=True)[:MOST_AT_ONCE])
        user: User = request.user  # type: ignore[assignment]
        results = services.update_many(ids, by=user, origin=Origin.ADMIN, **change)
        changed = sum(row["ok"] and row["is_changed"] for row in results)
        _report_results(request, changed, [row["detail"] for row in results if not row["ok"]], done, whom)
        if as_before := sum(row["ok"] for row in results) - changed:
            sentence = ngettext("%(number)s incident was unchanged.", "%(number)s incidents were unchanged.", as_before)
            messages.info(request, sentence % {"number": as_before})

    def _apply_service(self, request: HttpRequest, queryset: Rows, service: Any, done: Any, **how: Any) -> None:
        number, refused = 0, []
        for incident in queryset[:MOST_AT_ONCE]:
            try:
                service(incident, by=request.user, **how)
                number += 1
            except DomainError as error:
                refused.append(error.message)
        _report_results(request, number, refused, done)

    def _confirm_action(
        self, request: HttpRequest, queryset: Rows, form: Any, action: str, submit: str, **more: Any
    ) -> HttpResponse:
        chosen = list(queryset[:MOST_AT_ONCE])
        hidden = [("action", action), *((ACTION_CHECKBOX_NAME, incident.pk) for incident in chosen)]
        context = {
            **self.admin_site.each_context(request),
            "title": f"{submit}: {_count_incidents(len(chosen))}",
            "rows": [str(incident) for incident in chosen],
            "form": form,
            "hidden": hidden,
            "submit": submit,
            "back": request.get_full_path(),
            "opts": self.opts,
            **more,
        }
        return TemplateResponse(request, "admin/ask.html", context)


def _posted_answer(request: HttpRequest) -> Any:
    return request.POST if "apply" in request.POST else None


def _count_incidents(number: int) -> str:
    return ngettext("%(number)s incident", "%(number)s incidents", number) % {"number": number}


def _report_results(request: HttpRequest, number: int, refused: list[str], done: Any, whom: object = "") -> None:
    if number:
        messages.success(request, done % {"number": number, "whom": whom})
    for sentence in refused[:MOST_MESSAGES]:
        messages.error(request, sentence)
    if len(refused) > MOST_MESSAGES:
        messages.error(
            request, _("… and %(number)s more could not be changed.") % {"number": len(refused) - MOST_MESSAGES}
        )
