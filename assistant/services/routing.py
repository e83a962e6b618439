"""Suggest team, category and severity, as past incidents teach."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from assistant.learning.learner import Learnt, Ranked
from assistant.learning.packing import keyed
from assistant.models import RoutingSuggestion
from assistant.services.learning import Current, Opening, current, feature_key
from assistant.vocabulary import LearntField
from core.severity import WORD_OF_SEVERITY
from incidents.models import Category, Incident, IncidentEvent
from responders.models import Team

# Whoever reports, and by which way, tells something beside an incident's words, but nothing alone.
WEAK = ("reporter=", "source=", "no ")


@dataclass(frozen=True)
class Reason:
    """A word or field of the incident that speaks for a suggestion; `kind` is word, service, location, category, ….

    `weight` is how much it adds to the odds, as a natural logarithm.
    """

    kind: str
    value: str
    weight: float


@dataclass(frozen=True)
class Candidate:
    """A value that a field may have: a team's id, a category's slug or a severity's word; `name` is for people."""

    value: int | str
    name: str
    confidence: float


@dataclass(frozen=True)
class Guess:
    """What one field may be: at most three candidates, best first, and why the first; `confidence` is the first's."""

    field: str
    ranked: list[Candidate]
    confidence: float
    because: list[Reason]
    is_current: bool  # the incident has it already

    @property
    def first(self) -> Candidate:
        return self.ranked[0]


@dataclass(frozen=True)
class Routing:
    """What past incidents suggest, None where they tell nothing; `confidence` is the lowest of what is told."""

    id: str
    team: int | None
    team_name: str
    category: str | None
    severity: str | None
    confidence: float
    because: list[Reason] = field(default_factory=list)
    guesses: Mapping[str, Guess] = field(default_factory=dict)
    incidents: int = 0  # from how many it learnt
    version: int = 0  # of the training

    @property
    def told(self) -> list[Guess]:
        return list(self.guesses.values())


@dataclass(frozen=True)
class Told:
    """What a training says of one field: ids of teams and categories or ranks of severities, best first."""

    ranked: list[Ranked[int]]
    is_sure: bool
    because: list[Reason]


def routing_of(incident: Incident) -> list[Routing]:
    """Return what is suggested for an incident: one entry, or none where too little is known.

    What was suggested when it was opened stays; without that, the newest training is asked.
    """
    training = current()
    if training is None:
        return []
    stored = RoutingSuggestion.objects.filter(incident=incident.pk, suggested__isnull=False)
    told = {name: one for name, one in tell(training, opening_of(incident)).items() if one.is_sure}
    if not incident.is_still_open:  # the training may have learnt from this very incident
        told = {row.field: told[row.field] for row in stored if row.field in told}
    for row in stored:
        again = told.get(row.field)
        ranked = [Ranked(int(value), float(confidence)) for value, confidence in row.ranked]
        same = again is not None and again.ranked[0].label == row.suggested
        told[row.field] = Told(ranked, True, again.because if again is not None and same else [])
    mine = {"team": incident.team_id, "category": incident.category_id, "severity": incident.severity}
    return _as_routing(training, told, mine)


def routing_for(known: Opening, *, fields: Collection[str] = tuple(LearntField.values)) -> list[Routing]:
    """Return what is suggested for a report that is being written: one entry, or none where too little is known."""
    training = current()
    if training is None:
        return []
    told = {name: one for name, one in tell(training, known, fields=fields).items() if one.is_sure}
    return _as_routing(training, told, {})


def opening_of(incident: Incident) -> Opening:
    """Return what was known of an incident when it was opened."""
    event = IncidentEvent.objects.filter(incident=incident.pk, seq=1).values_list("data", "actor_id").first()
    return Opening.of_event(*event) if event is not None else Opening(incident.title, incident.description)


def tell(training: Current, known: Opening, *, fields: Collection[str] = tuple(LearntField.values)) -> dict[str, Told]:
    """Return what a training says of each field, sure or not."""
    key = feature_key()
    found = {}
    for name in fields:
        learnt = training.fields.get(name)
        if learnt is not None:
            found[name] = _tell_one(learnt, known.features(name), key)
    return found


def _tell_one(learnt: Learnt[int], features: list[str], key: bytes) -> Told:
    digests = dict(zip(keyed(features, key), features, strict=True))
    ranked = learnt.rank(list(digests))
    tells = any(one in learnt.weights.rows for one, plain in digests.items() if not plain.startswith(WEAK))
    reasons = [
        _reason(digests[one], weight) for one, weight in learnt.reasons(list(digests), ranked[0].label, len(digests))
    ]
    return Told(ranked, tells and learnt.is_sure(ranked[0]), _strongest(reasons))


def _reason(feature: str, weight: float) -> Reason:
    kind, sign, value = feature.partition("=")
    return (
        Reason(kind, value, round(weight, 2))
        if sign
        else Reason("word", feature.removeprefix("title "), round(weight, 2))
    )


def _strongest(reasons: Iterable[Reason], most: int = 3) -> list[Reason]:
    """Return the strongest; a word of the title and of the text is one, and what is missing is none."""
    added: dict[tuple[str, str], float] = {}
    for one in reasons:
        if not one.value.startswith("no "):
            added[one.kind, one.value] = added.get((one.kind, one.value), 0) + one.weight
    best = sorted(added.items(), key=lambda pair: -pair[1])[:most]
    return [Reason(kind, value, round(weight, 2)) for (kind, value), weight in best]


def _as_routing(training: Current, told: Mapping[str, Told], mine: Mapping[str, int | None]) -> list[Routing]:
    named = _Names.of(told)
    guesses = {}
    for name, one in told.items():
        ranked = [found for each in one.ranked if (found := named.candidate(name, each)) is not None]
        if ranked and (first := named.candidate(name, one.ranked[0])) is not None:
            guesses[name] = Guess(name, ranked, first.confidence, one.because, mine.get(name) == one.ranked[0].label)
    if not guesses:
        return []
    team, category, severity = (guesses.get(name) for name in LearntField.values)
    return [
        Routing(
            id=f"routing-{training.version}",
            team=int(team.first.value) if team else None,
            team_name=team.first.name if team else "",
            category=str(category.first.value) if category else None,
            severity=str(severity.first.value) if severity else None,
            confidence=min(one.confidence for one in guesses.values()),
            because=_strongest(reason for one in guesses.values() for reason in one.because),
            guesses=guesses,
            incidents=training.incidents,
            version=training.version,
        )
    ]


@dataclass(frozen=True)
class _Names:
    """Teams and categories that may be suggested: those in use."""

    teams: Mapping[int, Team]
    categories: Mapping[int, Category]

    @classmethod
    def of(cls, told: Mapping[str, Told]) -> "_Names":
        ids = {name: [one.label for one in told[name].ranked] if name in told else [] for name in ("team", "category")}
        teams = Team.objects.active().in_bulk(ids["team"]) if ids["team"] else {}
        return cls(teams, Category.objects.active().in_bulk(ids["category"]) if ids["category"] else {})

    def candidate(self, name: str, one: Ranked[int]) -> Candidate | None:
        confidence = round(one.confidence, 2)
        if name == LearntField.SEVERITY:
            word = WORD_OF_SEVERITY[one.label]
            return Candidate(word, word, confidence)
        if name == LearntField.TEAM:
            team = self.teams.get(one.label)
            return Candidate(team.pk, team.name, confidence) if team is not None else None
        category = self.categories.get(one.label)
        return Candidate(category.slug, category.name, confidence) if category is not None else None
