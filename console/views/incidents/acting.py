"""What people do to incidents from the list."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from alerts.models import Alert
from console import undo
from console.pages import RESPONDERS, back_to, is_fragment, offer_undo, page, person, say, show
from console.rows import present
from console.views.incidents.listing import selected
from core.errors import DomainError
from incidents import services
from incidents.models import Incident
from incidents.representation import rows_of
from incidents.serializers.incidents import BulkSerializer
from incidents.views.lookup import number_of
from incidents.vocabulary import Origin, Status

MOST = 200
NAMED = 5
STATUS_KEYS = {"acknowledge": Status.ACKNOWLEDGED}


@require_POST
@page(roles=RESPONDERS)
def act(request: HttpRequest) -> HttpResponse:
    """Move one incident on; a script gets its new row."""
    name = next((name for name in STATUS_KEYS if name in request.POST), None)
    if name is None:
        raise DomainError(_("This form asks for nothing that is known here."))
    number, me = number_of(request.POST[name]), person(request)
    services.update(number, by=me, status=STATUS_KEYS[name], origin=Origin.CONSOLE)
    if not is_fragment(request):
        return back_to(request, reverse("console:incidents"))
    rows = present(rows_of(Incident.objects.visible_to(me).filter(pk=number)))
    return show(request, "console/incidents/_row.html", {"incident": rows[0]})


@require_POST
@page(roles=RESPONDERS)
def bulk(request: HttpRequest) -> HttpResponse:
    """Change the selected incidents, or the first of all that match."""
    me = person(request)
    given: dict[str, Any] = {name: value for name in ("status", "severity") if (value := request.POST.get(name))}
    for name in ("team", "assignee"):
        if value := request.POST.get(name):
            given[name] = None if value == "none" else me.pk if value == "me" else value
    form = BulkSerializer(data={**given, "ids": _ids(request), "note": request.POST.get("note", "")})
    form.is_valid(raise_exception=True)
    fields = dict(form.validated_data)
    ids = list(dict.fromkeys(fields.pop("ids")))
    how = {name: fields.pop(name, None) for name in ("status", "note", "grants_access")}
    before = undo.snapshots(ids)
    results = services.update_many(ids, by=me, fields=fields, origin=Origin.CONSOLE, **how)
    versions = {one["id"]: one["version"] for one in results if one["ok"] and one["is_changed"]}
    token = undo.undo_token(undo.changes_since(before, me, versions=versions), me)
    _report(request, results, token)
    return back_to(request, reverse("console:incidents"))


def _ids(request: HttpRequest) -> list[str] | list[int]:
    if request.POST.get("all") != "on":
        return request.POST.getlist("ids")
    request.GET = QueryDict(request.POST.get("query", ""))
    return list(selected(request).order_by("-pk").values_list("pk", flat=True)[:MOST])


def _report(request: HttpRequest, results: list[dict[str, Any]], token: str) -> None:
    changed = sum(1 for one in results if one["ok"] and one["is_changed"])
    refused = [one for one in results if not one["ok"]]
    sentence = ngettext("%(n)d incident changed.", "%(n)d incidents changed.", changed) % {"n": changed}
    if token:
        offer_undo(request, sentence, token)
    else:
        say(request, sentence)
    _warn_of_alerts(request, [one["id"] for one in results if one["ok"] and one.get("status") == Status.RESOLVED])
    for one in refused[:NAMED]:
        say(request, f"INC-{one['id']}: {one['detail']}", is_problem=True)
    if len(refused) > NAMED:
        more = len(refused) - NAMED
        text = ngettext("%(n)d more was refused.", "%(n)d more were refused.", more)
        say(request, text % {"n": more}, is_problem=True)


def _warn_of_alerts(request: HttpRequest, resolved: list[int]) -> None:
    """Name the resolved incidents whose alerts still fire."""
    firing = Alert.objects.firing().filter(incident__in=resolved).order_by("incident_id")
    numbers = list(firing.values_list("incident_id", flat=True).distinct()[: NAMED + 1])
    if numbers:
        named = ", ".join(f"INC-{number}" for number in numbers[:NAMED])
        said = _("Alerts still fire for %(incidents)s.")
        if len(numbers) > NAMED:
            said = _("Alerts still fire for %(incidents)s and others.")
        say(request, said % {"incidents": named}, is_problem=True)
