"""Rank the changes before an incident by how probably they caused it. Pure.

A score is time × service × kind × words: changes closer before the start, of the service concerned, of kinds that
break things, and that share rare words with the incident score higher.
"""

import datetime as dt
import enum
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant.likeness import stems
from incidents.search import tokens

BEFORE = dt.timedelta(hours=24)
AFTER = dt.timedelta(minutes=5)  # a change may be recorded when it ends, or by a clock that is ahead
HALF = dt.timedelta(minutes=60)  # after which a change counts half
LATE = 0.3  # what a change after the start counts
SAME_SERVICE, NAMED, UNKNOWN_SERVICE, OTHER_SERVICE = 1.0, 0.8, 0.3, 0.1
OF_WORDS = 3.0  # how much more a change counts that has all of the incident's words
ENOUGH = 0.08  # of a score, below which a change is not worth naming
ALONE = 0.35  # a score that a rival must not reach, else sureness is shared
MOST = 3


class ChangeKind(enum.StrEnum):
    """What was changed, as the words of its summary tell."""

    DEPLOY = "deploy"
    CONFIGURATION = "configuration"
    SCHEMA = "schema"
    INFRASTRUCTURE = "infrastructure"
    HARMLESS = "harmless"
    OTHER = "other"


# The last that matches counts least: "deploy docs" is harmless.
WORDS_OF_KINDS: tuple[tuple[ChangeKind, float, frozenset[str]], ...] = (
    (
        ChangeKind.HARMLESS,
        0.15,
        frozenset(
            {
                *("doc", "docs", "documentation", "readme", "typo", "comment", "comments", "test", "tests", "lint"),
                *("changelog", "translation", "translations", "dashboard", "dashboards", "wording", "copy", "logo"),
            }
        ),
    ),
    (
        ChangeKind.SCHEMA,
        1.0,
        frozenset({"migration", "migrate", "migrated", "schema", "index", "column", "table", "alter", "vacuum"}),
    ),
    (
        ChangeKind.CONFIGURATION,
        1.0,
        frozenset(
            {
                *("config", "configuration", "setting", "settings", "flag", "flags", "toggle", "limit", "limits"),
                *("timeout", "timeouts", "pool", "quota", "secret", "certificate", "dns", "firewall", "rule", "rotate"),
                *("enable", "enabled", "disable", "disabled", "raise", "lower", "rotated", "ttl", "feature"),
            }
        ),
    ),
    (
        ChangeKind.DEPLOY,
        1.0,
        frozenset({"deploy", "deployed", "deployment", "release", "released", "rollout", "rolled", "version", "ship"}),
    ),
    (
        ChangeKind.INFRASTRUCTURE,
        0.9,
        frozenset(
            {
                *(
                    "node",
                    "nodes",
                    "cluster",
                    "scale",
                    "scaled",
                    "scaling",
                    "kernel",
                    "upgrade",
                    "upgraded",
                    "failover",
                ),
                *("terraform", "image", "restart", "restarted", "reboot", "patch", "patched", "resize", "storage"),
            }
        ),
    ),
)
OTHER_WEIGHT = 0.7


@dataclass(frozen=True)
class ChangeFacts:
    """A change as it is ranked; `text` is its summary, with its origin and details."""

    id: int
    summary: str
    at: dt.datetime
    service: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Trouble:
    """An incident as changes are held against it; `names` are its services', each as its words' stems."""

    start: dt.datetime
    services: frozenset[int]
    names: frozenset[frozenset[str]]
    words: frozenset[str]  # stems

    @property
    def own_words(self) -> frozenset[str]:
        """Return the words without the services' names, which count by themselves, and without counts and days."""
        return frozenset(word for word in self.words.difference(*self.names) if len(word) > 2 or not word.isdecimal())


@dataclass(frozen=True)
class Ranked:
    """A change, how probable it is as the cause, and what speaks for it."""

    change: ChangeFacts
    score: float
    confidence: float
    kind: ChangeKind
    lead: dt.timedelta  # before the start; negative if after
    is_same_service: bool
    words: tuple[str, ...]


def rank_changes(trouble: Trouble, changes: Sequence[ChangeFacts], *, most: int = MOST) -> list[Ranked]:
    """Return the changes that may have caused it, the most probable first; none where none is likely."""
    words = {change.id: frozenset(_words(f"{change.summary} {change.text}")) for change in changes}
    holding = Counter(word for found in words.values() for word in found)
    scored = [_scored(trouble, change, words[change.id], holding, len(changes)) for change in changes]
    ranked = sorted((one for one in scored if one.score >= ENOUGH), key=lambda one: (-one.score, -one.change.id))
    total = sum(one.score for one in ranked)
    return [_with_confidence(one, total) for one in ranked[:most]]


def kind_of(summary: str) -> tuple[ChangeKind, float]:
    """Return what a change is by its words, and how often such a change breaks something, relative to a deploy."""
    words = set(tokens.split_words(summary))
    for kind, weight, known in WORDS_OF_KINDS:
        if words & known:
            return kind, weight
    return ChangeKind.OTHER, OTHER_WEIGHT


def _scored(
    trouble: Trouble, change: ChangeFacts, words: frozenset[str], holding: "Counter[str]", number: int
) -> Ranked:
    kind, by_kind = kind_of(change.summary)
    lead = trouble.start - change.at
    by_service = _service_factor(trouble, change, words)
    shared = trouble.own_words & words
    by_words = 1 + OF_WORDS * _rare_share(shared, trouble.own_words, holding, number)
    score = _time_factor(lead) * by_service * by_kind * by_words
    is_same = by_service >= NAMED
    telling = sorted(shared, key=lambda word: (holding[word], word))[:5]
    return Ranked(change, round(score, 4), 0.0, kind, lead, is_same, tuple(telling))


def _time_factor(lead: dt.timedelta) -> float:
    if lead < -AFTER or lead > BEFORE:
        return 0.0
    return 1 / (1 + lead / HALF) if lead >= dt.timedelta() else LATE


def _service_factor(trouble: Trouble, change: ChangeFacts, words: frozenset[str]) -> float:
    if change.service is not None and change.service in trouble.services:
        return SAME_SERVICE
    if any(name <= words for name in trouble.names):
        return NAMED
    return UNKNOWN_SERVICE if change.service is None or not trouble.services else OTHER_SERVICE


def _rare_share(shared: Collection[str], words: Collection[str], holding: "Counter[str]", number: int) -> float:
    """Return how much of the incident's words the change has; words of many changes hardly count."""
    if not words:
        return 0.0
    weights = {word: math.log((number + 1) / (holding[word] + 0.5)) for word in words}
    positive = {word: max(0.0, weight) for word, weight in weights.items()}
    total = sum(sorted(positive.values(), reverse=True)[:8])
    return min(1.0, sum(positive[word] for word in shared) / total) if total else 0.0


def _with_confidence(one: Ranked, total: float) -> Ranked:
    share = one.score / (total + ALONE)
    return Ranked(one.change, one.score, round(min(0.95, share), 3), one.kind, one.lead, one.is_same_service, one.words)


def _words(text: str) -> list[str]:
    return stems(tokens.split_words(text))
