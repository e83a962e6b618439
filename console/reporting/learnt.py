"""What rules and past incidents suggest while somebody writes a report."""

from typing import Any

from django.http import HttpRequest

from assistant.services.learning import Opening
from assistant.services.routing import Guess, routing_for
from assistant.vocabulary import LearntField
from console.pages import person
from core.severity import SEVERITY_OF_WORD
from incidents.models import Category, Origin
from incidents.services.report_rules import Prospect, Report, load_rules
from responders.models import Service

MOST_DESCRIPTION = 1_000  # characters; the script sends no more


def while_writing(request: HttpRequest, title: str) -> dict[str, Any]:
    """Return what is suggested for a report so far: what a rule sets, and what past incidents tell of the rest."""
    told = request.GET
    service = Service.objects.active().filter(slug=told.get("services", "")[:100]).first()
    category = Category.objects.active().filter(slug=told.get("category", "")[:100]).first()
    report = Report(title, "", told.get("location", "")[:200], category, [service] if service else [])
    prospect = load_rules(report).decide(report)
    return {"suggested": prospect.decision.severity, "learnt": _learnt(request, report, prospect)}


def _learnt(request: HttpRequest, report: Report, prospect: Prospect) -> list[dict[str, Any]]:
    """Return suggestions for what neither the person nor a rule has chosen."""
    user, told = person(request), request.GET
    fields = [
        *([LearntField.CATEGORY] if report.category is None else []),
        *([LearntField.SEVERITY] if not told.get("severity") and prospect.decision.severity is None else []),
        *([LearntField.TEAM] if user.is_staff and not told.get("team") and prospect.because == "default" else []),
    ]
    known = Opening(
        report.title,
        told.get("description", "")[:MOST_DESCRIPTION],
        report.location,
        report.category.slug if report.category is not None else "",
        tuple(service.slug for service in report.services),
        user.pk,
        Origin.CONSOLE,
    )
    return [_shown(guess) for one in (routing_for(known, fields=fields) if fields else []) for guess in one.told]


def _shown(guess: Guess) -> dict[str, Any]:
    first = guess.first
    return {
        "field": guess.field,
        "label": LearntField(guess.field).label,
        "value": first.value,
        "name": first.name,
        "severity": SEVERITY_OF_WORD.get(str(first.value)) if guess.field == LearntField.SEVERITY else None,
        "confidence": round(100 * first.confidence),
    }
