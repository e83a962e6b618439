"""Texts that announcements begin with."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from console.configuration import refusals_on
from console.forms.status.arranging import TemplateForm, template_initial
from console.lists import keyset_page, links_of
from console.pages import ADMINS, page, person, say, show
from core.errors import NotFound
from status_page.models import UpdateTemplate
from status_page.services import templates as services
from status_page.services.page import languages_of, the_page


@page(roles=ADMINS)
def templates(request: HttpRequest) -> HttpResponse:
    pages = keyset_page(request, UpdateTemplate.objects.all(), by="name")
    return show(request, "console/status/templates.html", {"templates": pages.rows, "pages": links_of(pages)})


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_template(request: HttpRequest) -> HttpResponse:
    form = TemplateForm(request.POST or None, languages=languages_of(the_page()))
    if form.is_valid():
        with refusals_on(form):
            services.add_template(by=person(request), values=form.values())
            return redirect("console:status-templates")
    return _show(request, form, _("New template"))


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def template(request: HttpRequest, pk: int) -> HttpResponse:
    found = _template(pk)
    form = TemplateForm(request.POST or None, initial=template_initial(found), languages=languages_of(the_page()))
    if form.is_valid():
        with refusals_on(form):
            services.edit_template(found, by=person(request), changes=form.values())
            say(request, _("Saved."))
            return redirect("console:status-templates")
    return _show(request, form, _("Edit the template"), found)


@page(roles=ADMINS)
@require_POST
def delete_template(request: HttpRequest, pk: int) -> HttpResponse:
    found = _template(pk)
    services.remove_template(found, by=person(request))
    say(request, _("%(name)s is deleted.") % {"name": found.name})
    return redirect("console:status-templates")


def _template(pk: int) -> UpdateTemplate:
    found = UpdateTemplate.objects.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Template %(id)s does not exist.") % {"id": pk})
    return found


def _show(request: HttpRequest, form: TemplateForm, title: str, template: UpdateTemplate | None = None) -> HttpResponse:
    context = {"form": form, "title": title, "template": template}
    return show(request, "console/status/template.html", context, status=422 if form.errors else 200)
