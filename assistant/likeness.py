"""Score how alike two incidents are, by words, alerts, services and time. Pure.

Words weigh as in BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), each counted once.
Service, category and time only strengthen what words or alerts say.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from assistant.vocabulary import ReasonKind
from incidents.search import tokens
from logs.templates import masked

OF_DOCUMENT = 0.85  # how much of the words' score the document has; its title has the rest
MOST_WORDS = 40  # of an incident's description
LENGTH = 0.25  # how much a document's length counts, BM25's b
ENOUGH = 0.34  # of the words' weight, below which words say nothing
ENOUGH_OF_DUPLICATE = 0.4
LIKELY = 0.45  # a duplicate's score
NEAR = dt.timedelta(days=3)
STEM = 4  # letters
ENDINGS = ("ations", "ation", "ings", "ing", "ers", "ies", "ed", "er", "es", "s", "e", "y")
# The commonest words, for installations whose history is too short to tell.
_COMMON = """
a an and are as at be been but by can could did do does for from had has have he i if in into is it its just me my no
not of on or our out she so that the their them then there they this to up us was we were when which who will with you
your again since after before all any some still very too than also only
"""
COMMON = frozenset(_COMMON.split())
# Of two independent signs, both count: 1 − ∏(1 − share).
SHARES = {
    ReasonKind.ALERT: 0.6,
    ReasonKind.MESSAGE: 0.3,
    ReasonKind.LABELS: 0.3,
    ReasonKind.SERVICE: 0.15,
    ReasonKind.CATEGORY: 0.04,
    ReasonKind.TIME: 0.2,
}
OF_WORDS = 0.85


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return a word without its ending, so that failing and failed are one."""
    if not word.isascii() or not word.isalpha():
        return word
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= STEM:
            return word[: -len(ending)]
    return word


def stems(words: Iterable[str]) -> list[str]:
    """Return the stems that tell something, each once."""
    return list(dict.fromkeys(stem(word) for word in words if word not in COMMON))


@dataclass(frozen=True)
class Facts:
    """An incident as it is compared; `words` are the stems of its document."""

    id: int
    title: str
    at: dt.datetime
    words: frozenset[str] = frozenset()
    services: frozenset[int] = frozenset()
    category: int | None = None
    groups: frozenset[str] = frozenset()
    labels: frozenset[int] = frozenset()
    is_open: bool = False


@dataclass
class Rarity:
    """What words weigh, from a sample of documents; `total` is how many there are in all."""

    counts: "Counter[str]" = field(default_factory=Counter)
    sampled: int = 0
    total: int = 0
    length: float = 30.0  # mean

    @classmethod
    def of(cls, documents: Iterable[frozenset[str]], total: int) -> "Rarity":
        counts: Counter[str] = Counter()
        sampled = length = 0
        for words in documents:
            counts.update(words)
            sampled += 1
            length += len(words)
        return cls(counts, sampled, total, length / sampled if length else 30.0)

    def weight(self, word: str) -> float:
        seen = self.counts[word]
        return math.log(1 + (self.sampled + 1) / (seen + 0.5))

    def share(self, word: str) -> float:
        """Return how many of all documents probably have the word."""
        return (self.counts[word] + 0.5) / (self.sampled + 1)

    def expected(self, word: str) -> float:
        return self.share(word) * self.total


@dataclass(frozen=True)
class Query:
    """An incident's words, as stems: those of its title, all of them, and how each is spelled there."""

    titles: frozenset[str]
    words: tuple[str, ...]
    spelled: Mapping[str, str]

    @classmethod
    def of(cls, title: str, description: str) -> "Query":
        titles, others = list(tokens.split_words(title)), list(tokens.split_words(description))
        in_title = stems(titles)
        words = tuple(dict.fromkeys([*in_title, *stems(others)[:MOST_WORDS]]))
        return cls(frozenset(in_title), words, {stem(word): word for word in (*others, *titles)})

    def by_weight(self, rarity: Rarity) -> list[str]:
        """Return the words, the most telling first."""
        return sorted(self.words, key=lambda word: -rarity.weight(word))


@dataclass(frozen=True)
class Likeness:
    """How alike an incident is, and why: what each sign says, words as (shared, all) of the title."""

    facts: Facts
    score: float
    words: float
    shared: tuple[int, int]
    signs: Mapping[ReasonKind, float]

    @property
    def is_similar(self) -> bool:
        is_said_alike = ReasonKind.MESSAGE in self.signs and self.shared[1] > 1
        return self.words >= ENOUGH or is_said_alike or ReasonKind.ALERT in self.signs

    @property
    def is_duplicate(self) -> bool:
        says = self.words >= ENOUGH_OF_DUPLICATE or ReasonKind.ALERT in self.signs
        return says and self.score >= LIKELY and ReasonKind.TIME in self.signs


class Comparison:
    """An incident that others are held against."""

    def __init__(self, asked: Facts, query: Query, rarity: Rarity) -> None:
        self.asked = asked
        self._rarity = rarity
        self._weights = {word: rarity.weight(word) for word in query.words}
        self._total = sum(self._weights.values())
        self._titles = query.titles
        self._length = self._square(self._titles)
        self._message = masked(asked.title)
        self._bare_titles = frozenset(word for word in self._titles if word.isalpha())

    def compare(self, other: Facts) -> Likeness:
        """Return how alike the other incident is."""
        theirs = frozenset(stems(tokens.split_words(other.title)))
        words, signs = self._word_score(other, theirs), self._signs(other, is_said_alike=theirs >= self._bare_titles)
        rest = 1 - OF_WORDS * words
        for kind, sign in signs.items():
            rest *= 1 - SHARES[kind] * sign
        shared = len(self._titles & other.words)
        return Likeness(other, round(1 - rest, 3), words, (shared, len(self._titles)), signs)

    def _word_score(self, other: Facts, title: frozenset[str]) -> float:
        """Return how much of the words' weight the other's document has, and a little for a title that is alike."""
        found = sum(weight for word, weight in self._weights.items() if word in other.words)
        length = 1 - LENGTH + LENGTH * max(1.0, len(other.words) / self._rarity.length)
        covered = min(1.0, found / self._total / length) if self._total else 0.0
        return OF_DOCUMENT * covered + (1 - OF_DOCUMENT) * self._cosine(title)

    def _cosine(self, theirs: frozenset[str]) -> float:
        shared = self._titles & theirs
        both = self._length * self._square(theirs) if shared else 0.0
        return self._square(shared) / math.sqrt(both) if both else 0.0

    def _square(self, words: Iterable[str]) -> float:
        return sum(self._rarity.weight(word) ** 2 for word in words)

    def _signs(self, other: Facts, *, is_said_alike: bool) -> dict[ReasonKind, float]:
        asked = self.asked
        apart = abs(asked.at - other.at)
        signs = {
            ReasonKind.ALERT: float(bool(asked.groups & other.groups)),
            ReasonKind.MESSAGE: float(is_said_alike and self._message == masked(other.title)),
            ReasonKind.LABELS: _jaccard(asked.labels, other.labels),
            ReasonKind.SERVICE: float(bool(asked.services & other.services)),
            ReasonKind.CATEGORY: float(asked.category is not None and asked.category == other.category),
            ReasonKind.TIME: math.exp(-apart / NEAR) if apart <= 3 * NEAR else 0.0,
        }
        return {kind: sign for kind, sign in signs.items() if sign}


def _jaccard(ours: frozenset[int], theirs: frozenset[int]) -> float:
    return len(ours & theirs) / len(ours | theirs) if ours & theirs else 0.0
