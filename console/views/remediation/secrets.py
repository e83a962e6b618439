"""Secrets of runbooks: set, replaced and deleted, and never shown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.configuration import refusals_on
from console.forms.agents import SecretForm
from console.lists import keyset_page, links_of
from console.pages import ADMINS, page, person, say, show
from console.views.remediation import reading
from core.errors import NotFound
from remediation.models import RunbookSecret
from remediation.services import secrets as services

MAX_ID = 2**63 - 1


@page(roles=ADMINS)
@require_GET
def secrets(request: HttpRequest) -> HttpResponse:
    pages = keyset_page(request, RunbookSecret.objects.select_related("updated_by"), by="name")
    used_by = services.used_by()
    rows = [{"secret": row, "runbooks": used_by.get(row.name, [])} for row in pages.rows]
    context = {"rows": rows, "pages": links_of(pages), **reading.surroundings()}
    return show(request, "console/remediation/secrets.html", context)


@sensitive_post_parameters("value")
@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_secret(request: HttpRequest) -> HttpResponse:
    return _answer(request, None)


@sensitive_post_parameters("value")
@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def secret(request: HttpRequest, pk: int) -> HttpResponse:
    return _answer(request, _secret(pk))


def _answer(request: HttpRequest, found: RunbookSecret | None) -> HttpResponse:
    form = SecretForm(request.POST or None, secret=found)
    if form.is_valid():
        with refusals_on(form):
            stored = services.set_secret(found, by=person(request), **form.as_service())
            say(request, _("The secret %(name)s is set.") % {"name": stored.name})
            return redirect("console:runbook-secrets")
    runbooks = services.used_by().get(found.name, []) if found is not None else []
    context = {"form": form, "secret": found, "runbooks": runbooks}
    return show(request, "console/remediation/secret_form.html", context, status=422 if form.errors else 200)


@page(roles=ADMINS)
@require_POST
def delete_secret(request: HttpRequest, pk: int) -> HttpResponse:
    found = _secret(pk)
    services.remove(found, by=person(request))
    say(request, _("The secret %(name)s is deleted.") % {"name": found.name})
    return redirect("console:runbook-secrets")


def _secret(pk: int) -> RunbookSecret:
    found = RunbookSecret.objects.select_related("updated_by").filter(pk=pk).first() if pk <= MAX_ID else None
    if found is None:
        raise NotFound(_("This secret does not exist."))
    return found


urlpatterns = [
    path("runbook-secrets/", secrets, name="runbook-secrets"),
    path("runbook-secrets/new/", new_secret, name="runbook-secret-new"),
    path("runbook-secrets/<int:pk>/", secret, name="runbook-secret"),
    path("runbook-secrets/<int:pk>/delete/", delete_secret, name="runbook-secret-delete"),
]
