"""Words of suggestions, and of what is asked of a language model."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Task(models.TextChoices):
    """What a model can be asked about an incident."""

    CAUSES = "causes", _("Causes")
    SUMMARY = "summary", _("Summary")
    HAND_OVER = "hand_over", _("Hand-over")


class CallState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")


class Outcome(models.TextChoices):
    """What became of a call."""

    USED = "used", _("Used")
    REPAIRED = "repaired", _("Used after a repair")
    CACHED = "cached", _("Answered from the cache")
    DROPPED = "dropped", _("Dropped")
    REFUSED = "refused", _("Refused by the model")
    FAILED = "failed", _("Failed")
    OVER_BUDGET = "over_budget", _("Over budget")


ANSWERED = (Outcome.USED, Outcome.REPAIRED, Outcome.CACHED)


class ModelState(models.TextChoices):
    """Whether a model answers now."""

    OFF = "off", _("off")
    READY = "ready", _("ready")
    WAITING = "waiting", _("waiting for an answer")
    PAUSED_BUDGET = "paused_budget", _("paused: the budget is used up")
    CIRCUIT_OPEN = "circuit_open", _("paused: the provider fails")
    FAILED = "failed", _("failed")


class LearntField(models.TextChoices):
    """What is learnt from past incidents."""

    TEAM = "team", _("Team")
    CATEGORY = "category", _("Category")
    SEVERITY = "severity", _("Severity")


class RoutingOutcome(models.TextChoices):
    """How a suggestion compares with what people left at the end."""

    WAITING = "waiting", _("Not resolved yet")
    RIGHT = "right", _("Right")
    IN_THREE = "in_three", _("Among the first three")
    WRONG = "wrong", _("Wrong")
    SILENT = "silent", _("Nothing suggested")
    UNKNOWN = "unknown", _("Left empty")


class SuggestionKind(models.TextChoices):
    """What is suggested."""

    SIMILAR = "similar", _("Similar incident")
    DUPLICATE = "duplicate", _("Likely duplicate")
    CAUSE = "cause", _("Probable cause")
    ROUTING = "routing", _("Team, category and severity")
    SUMMARY = "summary", _("Summary")


class Confidence(models.TextChoices):
    """How sure a suggestion is."""

    HIGH = "high", pgettext_lazy("confidence", "High")
    MEDIUM = "medium", pgettext_lazy("confidence", "Medium")
    LOW = "low", pgettext_lazy("confidence", "Low")


class EvidenceKind(models.TextChoices):
    """What a row that speaks for a suggestion is; `log` and `template` name a log line."""

    EVENT = "event", _("Event")
    CHANGE = "change", _("Change")
    LOG = "log", _("Log line")
    TEMPLATE = "template", _("Log template")
    ALERT = "alert", _("Alert")
    INCIDENT = "incident", _("Incident")


class ReasonKind(models.TextChoices):
    """Why an incident is taken for similar."""

    ALERT = "alert", _("Alert")
    MESSAGE = "message", _("Message")
    WORDS = "words", _("Words")
    LABELS = "labels", _("Labels")
    SERVICE = "service", _("Service")
    CATEGORY = "category", _("Category")
    TIME = "time", _("Time")


class SummaryPart(models.TextChoices):
    """What a line of a summary tells."""

    WHAT = "what", _("What")
    SINCE = "since", _("Since when")
    IMPACT = "impact", _("Impact")
    DONE = "done", _("Who did what")
    STANDING = "standing", _("Where it stands")
    OPEN = "open", _("Open questions")
    NEXT = "next", _("Next")


CONFIDENT = 0.7
FAIRLY = 0.4


def confidence_word(confidence: float) -> Confidence:
    """Return the word of a confidence between 0 and 1."""
    if confidence >= CONFIDENT:
        return Confidence.HIGH
    return Confidence.MEDIUM if confidence >= FAIRLY else Confidence.LOW
