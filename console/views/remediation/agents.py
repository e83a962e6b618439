"""Agents: who they are, whether they ask for work, their keys and their latest jobs."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.configuration import store, write
from console.forms.agents import AgentForm, initial_of_agent
from console.lists import keyset_page, links_of
from console.pages import ADMINS, page, person, say, show
from console.views.remediation import installing, reading
from core.db.clock import database_now
from core.db.deleting import delete_configuration
from core.errors import NotFound
from remediation.models import Agent, AgentJob, Run
from remediation.serializers.agents import AgentSerializer
from remediation.services import agents as services
from remediation.vocabulary import JobState
from users.models import User

MAX_ID = 2**63 - 1
MOST_JOBS = 20
WELL = (JobState.QUEUED, JobState.FETCHED, JobState.DONE)


@page(roles=ADMINS)
@require_GET
def agents(request: HttpRequest) -> HttpResponse:
    pages, now = keyset_page(request, Agent.objects.all(), by="name"), database_now()
    rows = [{"agent": row, "state": _state(row, now)} for row in pages.rows]
    context = {"rows": rows, "pages": links_of(pages), **reading.surroundings()}
    return show(request, "console/remediation/agents.html", context)


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_agent(request: HttpRequest) -> HttpResponse:
    form = AgentForm(request.POST or None)
    if form.is_valid():
        key = services.new_key()
        fields: dict[str, Any] = services.key_fields(key)
        made = store(form, AgentSerializer, form.cleaned_data, by=person(request), **fields)
        if made is not None:
            return _show_key(request, made, key, is_new=True)
    return _form(request, form, None)


@page(roles=ADMINS)
@require_GET
def agent(request: HttpRequest, pk: int) -> HttpResponse:
    found, now = _agent(pk), database_now()
    context = {
        "agent": found,
        "state": _state(found, now),
        "is_replacing": services.is_replacing(found, now),
        "jobs": _jobs(found, person(request)),
        **_surroundings(found),
    }
    return show(request, "console/remediation/agent.html", context)


def _jobs(found: Agent, viewer: User) -> list[dict[str, Any]]:
    """Return the latest jobs; of runs that the viewer does not see, only how they went."""
    rows = list(AgentJob.objects.filter(agent=found).order_by("-pk").defer("output")[:MOST_JOBS])
    seen = set(Run.objects.visible_to(viewer).filter(pk__in={row.run for row in rows}).values_list("pk", flat=True))
    return [
        {
            "job": row,
            "is_bad": row.state not in WELL,
            "words": reading.line({"command": row.command, **row.arguments}) if row.run in seen else "",
        }
        for row in rows
    ]


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def edit_agent(request: HttpRequest, pk: int) -> HttpResponse:
    found = _agent(pk)
    form = AgentForm(request.POST or None, initial=initial_of_agent(found))
    if form.is_valid() and store(form, AgentSerializer, form.cleaned_data, by=person(request), instance=found):
        say(request, _("Saved."))
        return redirect("console:agent", pk)
    return _form(request, form, found)


def _form(request: HttpRequest, form: AgentForm, found: Agent | None) -> HttpResponse:
    context = {"form": form, "agent": found}
    return show(request, "console/remediation/agent_form.html", context, status=422 if form.errors else 200)


@page(roles=ADMINS)
@require_POST
def replace_key(request: HttpRequest, pk: int) -> HttpResponse:
    found = _agent(pk)
    key = services.replace_key(found, by=person(request))
    return _show_key(request, _agent(pk), key, is_new=False)


def _show_key(request: HttpRequest, found: Agent, key: str, *, is_new: bool) -> HttpResponse:
    """Show a key in this answer only."""
    context = {"agent": found, "key": key, "is_new": is_new, **_surroundings(found), **_heard(found)}
    return show(request, "console/remediation/agent_key.html", context, status=201)


@page(roles=ADMINS)
@require_GET
def heard(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whether the agent has used its newest key, for the page that shows it."""
    found = _agent(pk)
    return show(request, "console/remediation/_agent_heard.html", {"agent": found, **_heard(found)})


def _heard(found: Agent) -> dict[str, Any]:
    is_waiting = found.last_seen_at is None or services.is_replacing(found, database_now())
    return {"is_over": not found.is_enabled or not is_waiting}


@page(roles=ADMINS)
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    found, is_enabled = _agent(pk), request.POST.get("is_enabled") == "true"
    write(AgentSerializer, {"is_enabled": is_enabled}, by=person(request), instance=found)
    say(request, _("It gets jobs again.") if is_enabled else _("Its keys are refused from now on."))
    return redirect("console:agent", pk)


@page(roles=ADMINS)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    found = _agent(pk)
    delete_configuration(found, by=person(request))
    say(request, _("The agent %(name)s is deleted.") % {"name": found.name})
    return redirect("console:agents")


def _agent(pk: int) -> Agent:
    found = Agent.objects.filter(pk=pk).first() if pk <= MAX_ID else None
    if found is None:
        raise NotFound(_("This agent does not exist."))
    return found


def _state(found: Agent, now: dt.datetime) -> str:
    if not found.is_enabled:
        return "disabled"
    if found.last_seen_at is None:
        return "new"
    return "silent" if services.is_silent(found, now) else "connected"


def _surroundings(found: Agent) -> dict[str, Any]:
    return {
        "install": installing.installation(found),
        "replace": installing.REPLACE,
        "is_reachable": installing.is_reachable(),
        "url": settings.PUBLIC_URL,
        **reading.surroundings(),
    }


urlpatterns = [
    path("agents/", agents, name="agents"),
    path("agents/new/", new_agent, name="agent-new"),
    path("agents/<int:pk>/", agent, name="agent"),
    path("agents/<int:pk>/edit/", edit_agent, name="agent-edit"),
    path("agents/<int:pk>/key/", replace_key, name="agent-key"),
    path("agents/<int:pk>/heard/", heard, name="agent-heard"),
    path("agents/<int:pk>/switch/", switch, name="agent-switch"),
    path("agents/<int:pk>/delete/", delete, name="agent-delete"),
]
