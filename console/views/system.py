"""How the system itself is: whole for administrators, short for others."""

from typing import Any

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from console.pages import is_fragment, page, person, show
from core.db.clock import database_now
from core.models import JobRun
from core.server.checks import current_outcomes, is_well
from core.server.jobs import all_jobs
from incidents.models import Incident
from intake.models import IntakeEvent
from notifications.models import Delivery
from notifications.monitoring import oldest_due
from notifications.vocabulary import PENDING
from paging.models import EscalationAlarm, EscalationRun
from remediation.models import Run
from responders.models import Team
from users.models import User

MOST_ALARMS = 20


@page
def system(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    outcomes = current_outcomes()
    context: dict[str, Any] = {
        "checks": sorted(outcomes.items(), key=lambda pair: (pair[1]["status"] == "ok", pair[0])),
        "is_well": is_well(outcomes),
        "version": settings.VERSION,
        "now": timezone.now(),
    }
    if viewer.is_staff:
        standing = EscalationAlarm.objects.filter(
            cleared_at=None, incident__in=Incident.objects.visible_to(viewer)
        ).order_by("-pk")
        context["alarms"] = standing.select_related("incident")[:MOST_ALARMS]
    if viewer.is_admin:
        has_default_team = Team.objects.active().filter(is_default=True).exists()
        context |= {"jobs": _jobs(), "queues": _queues(viewer), "lacks_default_team": not has_default_team}
    template = "console/system/_status.html" if is_fragment(request) else "console/system/status.html"
    return show(request, template, context)


def _jobs() -> list[dict[str, Any]]:
    """Return every job with its last run, those that failed first."""
    runs = {run.name: run for run in JobRun.objects.all()}
    found = []
    for job in all_jobs():
        run = runs.get(job.name)
        is_failing = bool(
            run and run.failed_at and (run.succeeded_at is None or run.failed_at > run.succeeded_at) and run.error
        )
        found.append({"job": job, "run": run, "is_failing": is_failing})
    return sorted(found, key=lambda one: (not one["is_failing"], one["job"].group, one["job"].name))


def _queues(viewer: User) -> dict[str, Any]:
    now = database_now()
    due = oldest_due()
    pending = Delivery.objects.filter(state__in=PENDING).order_by().values("state").annotate(n=Count("pk"))
    states = {row["state"]: row["n"] for row in pending}
    oldest_event = IntakeEvent.objects.waiting().values_list("received_at", flat=True).first()
    step = EscalationRun.objects.due(now).values_list("next_step_at", flat=True).first()
    return {
        "delivery_seconds": max(0.0, (now - due).total_seconds()) if due else None,
        "waiting": states.get("waiting", 0),
        "held": states.get("held", 0),
        "intake_seconds": max(0.0, (now - oldest_event).total_seconds()) if oldest_event else None,
        "intake_problems": IntakeEvent.objects.troubling().count(),
        "unsettled": Run.objects.visible_to(viewer).unsettled().count(),
        "step_seconds": max(0.0, (now - step).total_seconds()) if step else None,
        "escalations": EscalationRun.objects.current().filter(next_step_at__isnull=False).count(),
    }


urlpatterns = [path("system/", system, name="system")]
