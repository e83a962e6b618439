"""What can be done to several incidents at once: each is its own transaction and gets its own answer."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core.errors import DomainError
from incidents import services
from incidents.admin.forms import NoteForm, PersonForm, TeamForm
from incidents.admin.pages import ended
from incidents.models import Incident, Origin, Status
from users.models import User

MOST_AT_ONCE = 200
MOST_MESSAGES = 10

Rows = QuerySet[Incident]


class BulkActions:
    """The actions of the incident list."""

    admin_site: Any
    opts: Any

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Responders and administrators; whether this incident is theirs to work on, the service says."""
        return bool(getattr(request.user, "is_staff", False))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Administrators."""
        return bool(getattr(request.user, "is_superuser", False))

    def get_actions(self, request: HttpRequest) -> Any:
        """Deleted incidents can be restored and purged, the others all the rest."""
        actions = super().get_actions(request)  # type: ignore[misc]
        of_deleted = {"restore_selected", "purge_selected"}
        is_deleted_list = request.GET.get("deleted") == "yes"
        return {name: action for name, action in actions.items() if (name in of_deleted) == is_deleted_list}

    @admin.action(description="Acknowledge", permissions=["work"])
    def acknowledge(self, request: HttpRequest, queryset: Rows) -> None:
        self._change(request, queryset, "acknowledged", status=Status.ACKNOWLEDGED)

    @admin.action(description="Take them myself", permissions=["work"])
    def take(self, request: HttpRequest, queryset: Rows) -> None:
        for incident in queryset.filter(is_open=False)[:MOST_MESSAGES]:
            messages.error(request, ended(incident))
        self._change(request, queryset.filter(is_open=True), "given to you", fields={"assignee": request.user})

    @admin.action(description="Resolve …", permissions=["work"])
    def resolve(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        form = NoteForm(_answer(request))
        if not form.is_valid():
            return self._inquire(request, queryset, form, "resolve", "Resolve")
        note = form.cleaned_data["note"]
        self._change(request, queryset, "resolved", status=Status.RESOLVED, note=note)
        return None

    @admin.action(description="Assign to a team …", permissions=["work"])
    def assign_team(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        form = TeamForm(_answer(request), incidents=queryset[:MOST_AT_ONCE])
        if not form.is_valid():
            return self._inquire(request, queryset, form, "assign_team", "Assign")
        fields = {"team": form.cleaned_data["team"]}
        how = {"note": form.cleaned_data["note"], "grants_access": form.is_granted}
        self._change(request, queryset, f"assigned to {fields['team']}", fields=fields, **how)
        return None

    @admin.action(description="Assign to a person …", permissions=["remove"])
    def assign_person(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        form = PersonForm(_answer(request), incidents=queryset[:MOST_AT_ONCE])
        if not form.is_valid():
            return self._inquire(request, queryset, form, "assign_person", "Assign")
        fields = {"assignee": form.cleaned_data["assignee"]}
        how = {"note": form.cleaned_data["note"], "grants_access": form.is_granted}
        self._change(request, queryset, f"given to {fields['assignee']}", fields=fields, **how)
        return None

    @admin.action(description="Restore", permissions=["remove"])
    def restore_selected(self, request: HttpRequest, queryset: Rows) -> None:
        self._each(request, queryset, services.restore, "restored", origin=Origin.ADMIN)

    @admin.action(description="Purge for good …", permissions=["remove"])
    def purge_selected(self, request: HttpRequest, queryset: Rows) -> HttpResponse | None:
        if "apply" not in request.POST:
            sentence = "Erases these incidents with their timelines and files. This cannot be taken back."
            return self._inquire(request, queryset, None, "purge_selected", "Purge", sentence=sentence, is_danger=True)
        self._each(request, queryset, services.purge, "purged")
        return None

    def _change(self, request: HttpRequest, queryset: Rows, done: str, **change: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True)[:MOST_AT_ONCE])
        user: User = request.user  # type: ignore[assignment]
        results = services.update_many(ids, by=user, origin=Origin.ADMIN, **change)
        changed = sum(row["ok"] and row["is_changed"] for row in results)
        _tell(request, changed, [row["detail"] for row in results if not row["ok"]], done)
        if as_before := sum(row["ok"] for row in results) - changed:
            messages.info(request, f"{_incidents(as_before)} {'were' if as_before != 1 else 'was'} so already.")

    def _each(self, request: HttpRequest, queryset: Rows, service: Any, done: str, **how: Any) -> None:
        number, refused = 0, []
        for incident in queryset[:MOST_AT_ONCE]:
            try:
                service(incident, by=request.user, **how)
                number += 1
            except DomainError as error:
                refused.append(error.message)
        _tell(request, number, refused, done)

    def _inquire(
        self, request: HttpRequest, queryset: Rows, form: Any, action: str, submit: str, **more: Any
    ) -> HttpResponse:
        """The page between choosing an action and doing it."""
        chosen = list(queryset[:MOST_AT_ONCE])
        hidden = [("action", action), *((ACTION_CHECKBOX_NAME, incident.pk) for incident in chosen)]
        context = {
            **self.admin_site.each_context(request),
            "title": f"{submit} {len(chosen)} incident{'s' if len(chosen) != 1 else ''}",
            "rows": [str(incident) for incident in chosen],
            "form": form,
            "hidden": hidden,
            "submit": submit,
            "back": request.get_full_path(),
            "opts": self.opts,
            **more,
        }
        return TemplateResponse(request, "admin/ask.html", context)


def _answer(request: HttpRequest) -> Any:
    """What the page in between was answered with; None when it has not been shown yet."""
    return request.POST if "apply" in request.POST else None


def _incidents(number: int) -> str:
    return f"{number} incident{'s' if number != 1 else ''}"


def _tell(request: HttpRequest, number: int, refused: list[str], done: str) -> None:
    if number:
        messages.success(request, f"{_incidents(number)} {done}.")
    for sentence in refused[:MOST_MESSAGES]:
        messages.error(request, sentence)
    if len(refused) > MOST_MESSAGES:
        messages.error(request, f"… and {len(refused) - MOST_MESSAGES} more were refused.")
