"""Admin actions on alerts: move, split, merge."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from alerts.models import Alert
from alerts.services import reassign
from core.errors import DomainError
from incidents.admin.forms import GrantForm
from incidents.models import Incident, Origin
from incidents.views.lookup import one_of
from users.models import User

MOST_AT_ONCE = 200


def _reference(label: Any, help_text: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "INC-1042"})
    return forms.CharField(max_length=30, label=label, widget=widget, help_text=help_text)


class MoveForm(GrantForm):
    incident = _reference(_("Incident"), _("The reference of the incident to move to."))


class MergeForm(GrantForm):
    incident = _reference(
        _("Merge into"),
        _("This incident gets all current and future alerts; the merged one is resolved as its duplicate."),
    )
    # The one confirmed; another is shown first.
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)


class SplitForm(GrantForm):
    title = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Default: the first alert's title."),
    )


class AlertPages:
    """Actions on alerts; services check permissions."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        views: dict[str, Callable[..., HttpResponse]] = {"move": self.move_view, "split": self.split_view}
        ours = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"alerts_alert_{name}")
            for name, view in views.items()
        ]
        merge = self.admin_site.admin_view(self.merge_view)
        ours.append(path("merge/<int:incident_id>/", merge, name="alerts_alert_merge"))
        return [*ours, *super().get_urls()]  # type: ignore[misc]

    def has_work_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_staff", False))

    @admin.action(description=_("Move to an incident …"), permissions=["work"])
    def move_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return self._move(request, list(queryset[:MOST_AT_ONCE]), request.get_full_path(), "move_selected")

    @admin.action(description=_("Split off to a new incident …"), permissions=["work"])
    def split_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return self._split(request, list(queryset[:MOST_AT_ONCE]), request.get_full_path(), "split_selected")

    def move_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        alert = self._visible(request, pk)
        url = reverse("admin:alerts_alert_change", args=[alert.pk])
        return self._move(request, [alert], url) or HttpResponseRedirect(url)

    def split_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        alert = self._visible(request, pk)
        url = reverse("admin:alerts_alert_change", args=[alert.pk])
        return self._split(request, [alert], url) or HttpResponseRedirect(url)

    def merge_view(self, request: HttpRequest, incident_id: int) -> HttpResponse:
        """Merge an incident's present and future alerts into another."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        visible = Incident.objects.visible_to(_user(request)).filter(deleted_at__isnull=True)
        incident = get_object_or_404(visible, pk=incident_id)
        form = MergeForm(_answer(request), incidents=[incident, self._named(request, visible)])
        target: Incident | None = None
        if form.is_valid():
            try:
                target = one_of(visible, form.cleaned_data["incident"].strip())
                reassign.require_mergeable(incident, target, by=_user(request))
                if form.cleaned_data["confirmed"] == str(target.pk):
                    how = {"grants_access": form.is_granted, "origin": Origin.ADMIN}
                    reassign.merge(incident, target, by=_user(request), **how)
                    messages.success(
                        request,
                        gettext("%(incident)s is merged into %(target)s.")
                        % {"incident": incident.reference, "target": target},
                    )
                    return HttpResponseRedirect(reverse("admin:incidents_incident_change", args=[target.pk]))
            except DomainError as error:
                form.add_error("incident", error.message)
                target = None
        return self._inquire_about_merging(request, incident, target, form)

    def _move(self, request: HttpRequest, alerts: Sequence[Alert], back: str, action: str = "") -> HttpResponse | None:
        form = MoveForm(_answer(request), incidents=[alert.incident for alert in alerts])
        if form.is_valid():
            try:
                target = one_of(Incident.objects.visible_to(_user(request)), form.cleaned_data["incident"].strip())
                how = {"grants_access": form.is_granted, "origin": Origin.ADMIN}
                reassign.move(alerts, target, by=_user(request), **how)
            except DomainError as error:
                form.add_error("incident", error.message)
            else:
                messages.success(
                    request, gettext("%(alerts)s moved to %(target)s.") % {"alerts": _number(alerts), "target": target}
                )
                return None
        return self._inquire_about(request, alerts, form, gettext("Move"), back, action)

    def _split(self, request: HttpRequest, alerts: Sequence[Alert], back: str, action: str = "") -> HttpResponse | None:
        form = SplitForm(_answer(request), incidents=[alert.incident for alert in alerts])
        if form.is_valid():
            try:
                how = {"title": form.cleaned_data["title"], "grants_access": form.is_granted}
                incident = reassign.split(alerts, by=_user(request), origin=Origin.ADMIN, **how)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(
                    request,
                    gettext("%(alerts)s moved to %(target)s.") % {"alerts": _number(alerts), "target": incident},
                )
                return HttpResponseRedirect(reverse("admin:incidents_incident_change", args=[incident.pk]))
        return self._inquire_about(request, alerts, form, gettext("Split off"), back, action)

    def _inquire_about(
        self, request: HttpRequest, alerts: Sequence[Alert], form: forms.Form, submit: str, back: str, action: str
    ) -> HttpResponse:
        hidden = [("action", action), *((ACTION_CHECKBOX_NAME, alert.pk) for alert in alerts)] if action else []
        rows = [str(alert) for alert in alerts]
        return self._inquire(request, f"{submit} {_number(alerts)}", rows, form, submit, back, hidden)

    def _inquire_about_merging(
        self, request: HttpRequest, incident: Incident, target: Incident | None, form: MergeForm
    ) -> HttpResponse:
        rows, submit = [_described(incident)], gettext("Next")
        if target is not None:
            rows.append(gettext("into %(target)s") % {"target": _described(target)})
            known = {"incident": target.reference, "confirmed": target.pk}
            form = MergeForm(initial=known, incidents=[incident, target])
            submit = gettext("Merge into %(target)s") % {"target": target.reference}
        back = reverse("admin:incidents_incident_change", args=[incident.pk])
        around = {"opts": incident._meta, "original": incident}
        title = gettext("Merge %(incident)s") % {"incident": incident.reference}
        return self._inquire(request, title, rows, form, submit, back, around=around)

    def _inquire(
        self,
        request: HttpRequest,
        title: str,
        rows: Sequence[str],
        form: forms.Form,
        submit: str,
        back: str,
        hidden: Sequence[tuple[str, Any]] = (),
        around: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "rows": rows,
            "form": form,
            "hidden": hidden,
            "submit": submit,
            "back": back,
            "opts": self.opts,
            **(around or {}),
        }
        return TemplateResponse(request, "admin/ask.html", context)

    def _named(self, request: HttpRequest, visible: Any) -> Incident | None:
        try:
            return one_of(visible, request.POST.get("incident", "").strip())
        except DomainError:
            return None

    def _visible(self, request: HttpRequest, pk: int) -> Alert:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        found: Alert | None = self.get_queryset(request).filter(pk=pk).select_related("source", "incident").first()  # type: ignore[attr-defined]
        if found is None:
            raise Http404
        return found


def _answer(request: HttpRequest) -> Any:
    return request.POST if "apply" in request.POST else None


def _described(incident: Incident) -> str:
    return f"{incident} · {incident.get_status_display().lower()} · {incident.team or gettext('no team')}"


def _number(alerts: Sequence[Alert]) -> str:
    return ngettext("%(number)d alert", "%(number)d alerts", len(alerts)) % {"number": len(alerts)}


def _user(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]
