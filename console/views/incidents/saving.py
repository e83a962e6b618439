"""What a person keeps of the list: columns and views."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console import preferences, saved_views
from console.models import Density
from console.pages import back_to, page, person, say
from console.rows import COLUMNS, DEFAULT_COLUMNS
from core.errors import DomainError


@require_POST
@page
def columns(request: HttpRequest) -> HttpResponse:
    chosen = [name for name in COLUMNS if name in request.POST.getlist("columns")]
    density = request.POST.get("density", "")
    fields = {"columns": [] if chosen == list(DEFAULT_COLUMNS) else chosen}
    if density in Density.values:
        fields["density"] = density  # type: ignore[assignment]  # a word, not columns
    preferences.set_preferences(person(request), **fields)
    return back_to(request, reverse("console:incidents"))


@require_POST
@page
def save(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("name", "").strip()
    if not name:
        raise DomainError(_("Give the view a name."), field="name")
    is_default = request.POST.get("is_default") == "on"
    view = saved_views.save_view(person(request), name=name, query=request.POST.get("query", ""), is_default=is_default)
    say(request, _("Saved the view “%(name)s”.") % {"name": view.name})
    return redirect(f"{reverse('console:incidents')}?{view.query}")


@require_POST
@page
def change(request: HttpRequest, pk: int) -> HttpResponse:
    me, act = person(request), request.POST.get("act", "")
    if act == "delete":
        saved_views.delete_view(me, pk)
        say(request, _("Deleted the view."))
    elif act in ("default", "usual"):
        saved_views.set_default(me, pk if act == "default" else None)
        say(request, _("Your list begins with this view now.") if act == "default" else _("Your list begins as usual."))
    else:
        raise DomainError(_("This form asks for nothing that is known here."))
    return back_to(request, reverse("console:incidents"))
