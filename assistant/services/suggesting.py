"""Gather all that is suggested about an incident, for one reader."""

import datetime as dt
from dataclasses import asdict, dataclass, field
from typing import Any

from assistant.services.causes import causes_of
from assistant.services.gathering import known_of
from assistant.services.model_suggestions import ModelSuggestions, stored_for
from assistant.services.routing import Routing, routing_of
from assistant.services.similar import related_incidents
from assistant.services.summarising import summarise
from assistant.suggestions import Cause, Duplicate, Similar, Summary
from assistant.vocabulary import SuggestionKind
from incidents.models import Incident
from users.models import User


@dataclass(frozen=True)
class Suggested:
    """What a verdict keeps; `related` is the other incident that it is about."""

    kind: SuggestionKind
    snapshot: dict[str, Any]
    related: int | None = None


@dataclass(frozen=True)
class Suggestions:
    """All that is suggested about an incident; empty where nothing is known. `model` is None for reporters."""

    similar: tuple[Similar, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    causes: tuple[Cause, ...] = ()
    routing: tuple[Routing, ...] = field(default_factory=tuple)
    summary: Summary | None = None
    model: ModelSuggestions | None = None

    def get(self, id: str) -> Suggested | None:
        """Return what a suggestion says, by its id."""
        ours: list[Similar | Cause | Summary] = [*self.similar, *self.duplicates, *self.causes]
        if self.summary is not None:
            ours.append(self.summary)
        for one in ours:
            if one.id == id:
                return Suggested(one.kind, dict(one.snapshot), one.incident)
        for routing in self.routing:
            if routing.id == id:
                said = asdict(routing)
                return Suggested(SuggestionKind.ROUTING, {name: said[name] for name in ROUTED})
        return _of_model(self.model, id) if self.model is not None else None


ROUTED = ("team", "team_name", "category", "severity", "confidence")


def suggestions_of(incident: Incident, viewer: User, now: dt.datetime) -> Suggestions:
    """Return what is suggested to somebody who sees the incident; reporters learn no internals. Nothing is written."""
    similar, duplicates = related_incidents(incident, viewer, now)
    summary = summarise(incident, viewer, now)
    if not viewer.is_staff:
        return Suggestions(similar=similar, duplicates=duplicates, summary=summary)
    return Suggestions(
        similar=similar,
        duplicates=duplicates,
        causes=causes_of(known_of(incident), viewer, similar),
        routing=tuple(routing_of(incident)),
        summary=summary,
        model=stored_for(incident, viewer),
    )


def _of_model(model: ModelSuggestions, id: str) -> Suggested | None:
    """Return no text: what a model said goes with its call when something that it was told is redacted."""
    for cause in model.causes:
        if cause.id == id:
            evidence = [{"kind": one.kind, "id": one.id} for one in cause.evidence]
            return Suggested(SuggestionKind.CAUSE, {"confidence": cause.confidence, "evidence": evidence})
    for text in filter(None, (model.summary, model.hand_over)):
        if text.id == id:
            evidence = [{"kind": one.kind, "id": one.id} for one in text.evidence]
            return Suggested(SuggestionKind.SUMMARY, {"evidence": evidence})
    return None
