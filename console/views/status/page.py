"""How the page presents itself: name, languages, logo, who may open it."""

from typing import Any
from zoneinfo import available_timezones

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.configuration import refusals_on
from console.forms.status.arranging import LogoForm, PageForm, page_initial, places_of
from console.pages import ADMINS, page, person, say, show
from core.errors import NotFound
from status_page.addresses import page_url
from status_page.services import page as services
from status_page.services.page import languages_of, the_page


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def page_settings(request: HttpRequest) -> HttpResponse:
    form = _form(request.POST or None)
    if form.is_valid():
        with refusals_on(form):
            services.edit_page(by=person(request), changes=form.values())
            say(request, _("Saved."))
            return redirect("console:status-settings")
    return _show(request, form)


@page(roles=ADMINS)
@require_POST
def logo(request: HttpRequest) -> HttpResponse:
    """Show another picture, or none."""
    if "remove" in request.POST:
        services.set_logo(by=person(request), data=None)
        say(request, _("The logo is removed."))
        return redirect("console:status-settings")
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        with refusals_on(form):
            services.set_logo(by=person(request), data=form.data_given())
            say(request, _("The logo is changed."))
            return redirect("console:status-settings")
    return _show(request, _form(), logo_form=form, status=422)


@page(roles=ADMINS)
@require_GET
def logo_picture(request: HttpRequest) -> HttpResponse:
    data = bytes(the_page().logo)
    if not data:
        raise NotFound(_("The page has no logo."))
    return HttpResponse(data, content_type="image/png", headers={"X-Content-Type-Options": "nosniff"})


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def access_key(request: HttpRequest) -> HttpResponse:
    """Show a new key this once; the earlier one opens nothing any more. Who comes back to its address makes none."""
    if request.method != "POST":
        return redirect("console:status-settings")
    key = services.new_access_key(by=person(request))
    return _show(request, _form(), key=key, key_url=f"{page_url()}?{urlencode({'key': key})}")


def _form(data: Any = None) -> PageForm:
    present = the_page()
    return PageForm(data, initial=page_initial(present), languages=languages_of(present), places=places_of(present))


def _show(
    request: HttpRequest, form: PageForm, *, logo_form: LogoForm | None = None, status: int = 0, **more: Any
) -> HttpResponse:
    present = the_page()
    context = {
        "form": form,
        "logo_form": logo_form or LogoForm(),
        "has_logo": bool(present.logo),
        "has_key": bool(present.access_digest),
        "is_private": present.is_private,
        "zones": sorted(available_timezones()),
        "address": page_url(),
        **more,
    }
    return show(request, "console/status/settings.html", context, status=status or (422 if form.errors else 200))
