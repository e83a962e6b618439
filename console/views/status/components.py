"""Components and their groups, in their order."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from console.configuration import refusals_on
from console.forms.status.arranging import ComponentForm, GroupForm, component_initial, group_initial
from console.pages import ADMINS, is_fragment, page, person, say, show
from console.views.routes import moved
from core.errors import DomainError, NotFound
from status_page.models import Component, ComponentGroup
from status_page.services import components as services
from status_page.services.page import languages_of, the_page


@page(roles=ADMINS)
def components(request: HttpRequest) -> HttpResponse:
    groups = list(ComponentGroup.objects.all())
    rows = list(Component.objects.select_related("service").all())
    shown = [(group, [row for row in rows if row.group_id == group.pk]) for group in groups]
    context = {
        "groups": groups,
        "ungrouped": [row for row in rows if row.group_id is None],
        "grouped": shown,
        "has_components": bool(rows),
    }
    return show(request, "console/status/components.html", context)


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_component(request: HttpRequest) -> HttpResponse:
    form = _component_form(request, initial={"group": request.GET.get("group", "")})
    if form.is_valid():
        with refusals_on(form):
            services.add_component(by=person(request), values=form.values())
            return redirect("console:status-components")
    return _show(request, form, _("New component"))


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def component(request: HttpRequest, pk: int) -> HttpResponse:
    found = _component(pk)
    form = _component_form(request, initial=component_initial(found))
    if form.is_valid():
        with refusals_on(form):
            services.edit_component(found, by=person(request), changes=form.values())
            say(request, _("Saved."))
            return redirect("console:status-components")
    return _show(request, form, _("Edit the component"), component=found)


@page(roles=ADMINS)
@require_POST
def delete_component(request: HttpRequest, pk: int) -> HttpResponse:
    found = _component(pk)
    services.remove_component(found, by=person(request))
    say(request, _("%(name)s is deleted.") % {"name": found.name})
    return redirect("console:status-components")


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_group(request: HttpRequest) -> HttpResponse:
    form = GroupForm(request.POST or None, languages=languages_of(the_page()))
    if form.is_valid():
        with refusals_on(form):
            services.add_group(by=person(request), values=form.values())
            return redirect("console:status-components")
    return _show(request, form, _("New group"))


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def group(request: HttpRequest, pk: int) -> HttpResponse:
    found = _group(pk)
    form = GroupForm(request.POST or None, initial=group_initial(found), languages=languages_of(the_page()))
    if form.is_valid():
        with refusals_on(form):
            services.edit_group(found, by=person(request), changes=form.values())
            say(request, _("Saved."))
            return redirect("console:status-components")
    return _show(request, form, _("Edit the group"), group=found)


@page(roles=ADMINS)
@require_POST
def delete_group(request: HttpRequest, pk: int) -> HttpResponse:
    found = _group(pk)
    services.remove_group(found, by=person(request))
    say(request, _("%(name)s is deleted.") % {"name": found.name})
    return redirect("console:status-components")


@page(roles=ADMINS)
@require_POST
def order_components(request: HttpRequest) -> HttpResponse:
    """Put the components of `ids`, those of one group, in this order, one of them moved `up` or `down`."""
    present = list(Component.objects.values_list("pk", flat=True))
    services.reorder_components(_reordered(request, present), by=person(request))
    return _reordered_answer(request)


@page(roles=ADMINS)
@require_POST
def order_groups(request: HttpRequest) -> HttpResponse:
    present = list(ComponentGroup.objects.values_list("pk", flat=True))
    services.reorder_groups(_reordered(request, present), by=person(request))
    return _reordered_answer(request)


def _reordered(request: HttpRequest, present: list[int]) -> list[int]:
    """Return all ids, those of the form in its order within the places they take."""
    texts = request.POST.getlist("ids")
    given = [int(one) for one in texts if one.isascii() and one.isdigit() and len(one) < 19]
    if len(given) < len(texts) or len(set(given)) < len(given) or not set(given) <= set(present):
        raise DomainError(_("The list has changed in the meantime. Reload the page and try again."), field="ids")
    ordered = iter(moved(list(given), request.POST))
    return [next(ordered) if pk in set(given) else pk for pk in present]


def _reordered_answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204) if is_fragment(request) else redirect("console:status-components")


def _component_form(request: HttpRequest, initial: dict[str, Any]) -> ComponentForm:
    groups = list(ComponentGroup.objects.all())
    return ComponentForm(request.POST or None, initial=initial, languages=languages_of(the_page()), groups=groups)


def _component(pk: int) -> Component:
    found = Component.objects.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Component %(id)s does not exist.") % {"id": pk})
    return found


def _group(pk: int) -> ComponentGroup:
    found = ComponentGroup.objects.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Group %(id)s does not exist.") % {"id": pk})
    return found


def _show(request: HttpRequest, form: ComponentForm | GroupForm, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, **more}
    return show(request, "console/status/component.html", context, status=422 if form.errors else 200)
