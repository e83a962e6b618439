"""Alerts: the list, one of them, and moving them between incidents."""

import datetime as dt
import itertools
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_POST

from alerts.filters import ALERTS
from alerts.models import Alert, AlertGroup
from alerts.services import reassign
from alerts.services.links import safe_links
from alerts.services.waiting import waits_for
from alerts.views.alerts import alerts_for
from alerts.vocabulary import AlertStatus
from console.lists import PAGING, asking, links_of, to_list, without_empty
from console.pages import page, person, query, say, show
from core.errors import DomainError, NotFound
from core.severity import SEVERITY_WORDS
from incidents.models import Incident, Origin
from incidents.permissions import can_work_on
from incidents.views.lookup import one_of
from intake.models import Source
from users.models import Role, User

ALL = ",".join(AlertStatus.values)
MOST_SOURCES = 200
MOST_NEW = 99
MOST_NEIGHBOURS = 20


@page
def alerts(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    if (elsewhere := without_empty(request) or _with_label(request)) is not None:
        return elsewhere
    asker = Incident.objects.visibility_key(viewer)
    pages = ALERTS.page(_asked(request), lambda: Alert.objects.visible_to(viewer), asker=asker)
    context = {
        "alerts": _with_incidents(pages.rows, viewer),
        "pages": links_of(pages),
        "chips": _chips(request),
        "status": _status(request),
        "tabs": (("firing", _("Firing")), ("resolved", pgettext("alert", "Resolved")), (ALL, _("All"))),
        "severities": SEVERITY_WORDS,
        "sources": [] if viewer.role == Role.REPORTER else Source.objects.values_list("pk", "name")[:MOST_SOURCES],
        "new_url": f"{reverse('console:alerts-new')}?{_for_new(request, pages.rows)}",
        "is_first": "cursor" not in request.GET and "ordering" not in request.GET,
    }
    return show(request, "console/alerts/list.html", context)


@page
def new_alerts(request: HttpRequest) -> HttpResponse:
    """Say how many alerts came since the list was shown."""
    asked = request.GET.copy()
    after = asked.pop("after", ["0"])[-1]
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    viewer = person(request)
    newer = asking(request, asked)
    with ALERTS.refusing(newer):
        selected = ALERTS.select(Alert.objects.visible_to(viewer).filter(pk__gt=number), newer)
    rows = selected.rows.filter(selected.checked) if selected.checked else selected.rows
    count = len(rows.order_by("-id").values_list("pk", flat=True)[: MOST_NEW + 1])
    context = {
        "count": count,
        "is_more": count > MOST_NEW,
        "url": request.get_full_path(),
        "list": f"?{asked.urlencode()}",
    }
    return show(request, "console/alerts/_new.html", context)


@page
def alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    return _show_alert(request, _alert(request, alert_id))


class MoveForm(forms.Form):
    incident = forms.CharField(
        label=gettext_lazy("Incident"),
        max_length=30,
        widget=forms.TextInput(attrs={"placeholder": "INC-1042", "autocapitalize": "characters"}),
        help_text=gettext_lazy("Its reference. The alert, and what it says next, belongs there from now on."),
    )
    grants_access = forms.BooleanField(
        required=False, label=gettext_lazy("Let whoever sees that incident see this, although this one is restricted")
    )


class SplitForm(forms.Form):
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=200, required=False, help_text=gettext_lazy("Empty: the alert's.")
    )
    grants_access = forms.BooleanField(
        required=False,
        label=gettext_lazy("Let whoever sees the new incident see this, although this one is restricted"),
    )


@page
@require_POST
def move(request: HttpRequest, alert_id: int) -> HttpResponse:
    found, form = _alert(request, alert_id), MoveForm(request.POST, prefix="move")
    if form.is_valid():
        try:
            target = one_of(Incident.objects.visible_to(person(request)), form.cleaned_data["incident"].strip())
            how = {"grants_access": form.cleaned_data["grants_access"], "origin": Origin.CONSOLE}
            reassign.move([found], target, by=person(request), **how)
        except DomainError as error:
            form.add_error(_field_of(error, form), error.message)
        else:
            say(request, _("The alert belongs to %(incident)s now.") % {"incident": target.reference})
            return redirect("console:alert", found.pk)
    return _show_alert(request, found, move=form, status=422)


@page
@require_POST
def split(request: HttpRequest, alert_id: int) -> HttpResponse:
    found, form = _alert(request, alert_id), SplitForm(request.POST, prefix="split")
    if form.is_valid():
        try:
            how = {"grants_access": form.cleaned_data["grants_access"], "title": form.cleaned_data["title"]}
            incident = reassign.split([found], by=person(request), origin=Origin.CONSOLE, **how)
        except DomainError as error:
            form.add_error(_field_of(error, form), error.message)
        else:
            say(request, _("%(incident)s is open with this alert.") % {"incident": incident.reference})
            return redirect("console:alert", found.pk)
    return _show_alert(request, found, split=form, status=422)


def _show_alert(request: HttpRequest, found: Alert, *, status: int = 200, **forms_: forms.Form) -> HttpResponse:
    viewer, incident = person(request), found.incident
    works = can_work_on(viewer, incident.team_id if incident else None)
    context = {
        "alert": found,
        "waits": waits_for(found),
        "links": safe_links(found.links),
        "labels": [(name, value, _searching(name, value)) for name, value in found.labels.items()],
        "annotations": list(found.annotations.items()),
        "changes": _latest_changes(found),
        "group": AlertGroup.objects.filter(incident=incident).order_by("-id").first() if incident else None,
        "neighbours": _neighbours(found),
        "works": works,
        "may_silence": viewer.is_responder or viewer.is_admin,
        "move": forms_.get("move") or MoveForm(prefix="move"),
        "split": forms_.get("split") or SplitForm(prefix="split"),
    }
    return show(request, "console/alerts/detail.html", context, status=status)


def _alert(request: HttpRequest, alert_id: int) -> Alert:
    return alerts_for(query(request), [alert_id])[0]


def _field_of(error: DomainError, form: forms.Form) -> str | None:
    if error.field in form.fields:
        return error.field
    return "incident" if isinstance(error, NotFound) and "incident" in form.fields else None


def _neighbours(found: Alert) -> list[Alert]:
    if found.incident_id is None:
        return []
    others = Alert.objects.filter(incident=found.incident_id).exclude(pk=found.pk)
    return list(others.order_by("-id")[:MOST_NEIGHBOURS])


def _latest_changes(found: Alert) -> list[tuple[dt.datetime, str]]:
    turns = itertools.cycle(sorted(AlertStatus, key=lambda status: status != found.status))
    moments = (dt.datetime.fromtimestamp(moment, dt.UTC) for moment in reversed(found.changes))
    return list(zip(moments, (status.value for status in turns), strict=False))


def _with_incidents(rows: list[Alert], viewer: User) -> list[Alert]:
    ids = {row.incident_id for row in rows} - {None}
    incidents = Incident.objects.visible_to(viewer).in_bulk(ids) if ids else {}
    for row in rows:
        row.incident = incidents.get(row.incident_id)
    return rows


def _asked(request: HttpRequest) -> Any:
    return asking(request, _filters(request))


def _filters(request: HttpRequest) -> QueryDict:
    """Return the list's parameters: firing alerts unless the address says otherwise."""
    asked = request.GET.copy()
    if asked.get("status", AlertStatus.FIRING) == ALL:
        del asked["status"]
    else:
        asked.setdefault("status", AlertStatus.FIRING.value)
    return asked


def _status(request: HttpRequest) -> str:
    return request.GET.get("status", AlertStatus.FIRING.value)


def _with_label(request: HttpRequest) -> HttpResponse | None:
    """Turn `label=host=db-3`, as the filter bar sends it, into the API's `label.host=db-3`."""
    if "label" not in request.GET:
        return None
    pairs = [(name, value) for name, values in request.GET.lists() for value in values if name != "label"]
    for text in request.GET.getlist("label"):
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise DomainError(_("Write a label as name=value, such as host=db-3."))
        pairs.append((f"label.{name.strip()}", value.strip().strip('"')))
    return to_list(request, pairs)


def _chips(request: HttpRequest) -> list[dict[str, str]]:
    """Return the filters in force, each with the address without it."""
    pairs = [(name, value) for name, values in request.GET.lists() for value in values]
    narrowing = [pair for pair in pairs if pair[0] not in PAGING and pair[0] != "status"]
    kept = [pair for pair in pairs if pair[0] not in PAGING]
    return [
        {
            "text": f"{name.removeprefix('label.')} = {value}",
            "without": f"?{urlencode([one for one in kept if one != (name, value)])}",
        }
        for name, value in narrowing
    ]


def _for_new(request: HttpRequest, rows: list[Alert]) -> str:
    asked = _filters(request)
    for name in PAGING:
        asked.pop(name, None)
    asked["after"] = str(max((row.pk for row in rows), default=0))
    return asked.urlencode()


def _searching(name: str, value: str) -> dict[str, str]:
    """Return where a label leads: alerts with it, and a silence of it."""
    matching = urlencode({f"label.{name}": value})
    silencing = urlencode({"name": name, "value": value})
    return {
        "alerts": f"{reverse('console:alerts')}?{matching}",
        "silence": f"{reverse('console:silence-new')}?{silencing}",
    }


urlpatterns = [
    path("alerts/", alerts, name="alerts"),
    path("alerts/new/", new_alerts, name="alerts-new"),
    path("alerts/<int:alert_id>/", alert, name="alert"),
    path("alerts/<int:alert_id>/move/", move, name="alert-move"),
    path("alerts/<int:alert_id>/split/", split, name="alert-split"),
]
