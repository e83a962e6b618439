"""Find open incidents that a report may repeat: the newest, ranked by the words they share with it."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from incidents.models import IncidentQuerySet
from incidents.search import tokens
from incidents.search.index import Terms, id_column

NEWEST = 1_000  # of the open incidents, compared
RECENT = dt.timedelta(days=30)
ENOUGH = 0.3  # of the words' weight
SURE = 0.5  # where only one of several words is shared
ELSEWHERE = 0.8  # what a word outside of the title counts


@dataclass(frozen=True)
class Likeness:
    """An incident and how much of a text's weight it has, 0 to 1."""

    id: int
    title: str
    score: float


def likely_duplicates(visible: IncidentQuerySet, text: str, *, now: dt.datetime, limit: int = 5) -> list[Likeness]:
    """Return the likeliest of the newest open incidents, best first; two queries."""
    terms = [term for term in tokens.query_terms(text) if _tells(*term)]
    if not terms:
        return []
    newest = visible.open().filter(created_at__gte=now - RECENT).order_by("-created_at")
    titles: dict[int, str] = dict(newest.values_list("pk", "title")[:NEWEST])
    hits = _hits(list(titles), terms)
    weights = _weights(hits, len(terms), len(titles))
    found = [Likeness(pk, titles[pk], _score(titles[pk], hit, terms, weights)) for pk, hit in hits.items() if any(hit)]
    good = [one for one in found if one.score >= (ENOUGH if sum(hits[one.id]) > 1 or len(terms) < 3 else SURE)]
    return sorted(good, key=lambda one: (-one.score, -one.id))[:limit]


def _tells(word: str, is_prefix: bool) -> bool:
    """Return whether it is no short word such as "is"."""
    return is_prefix or word.isnumeric() or not word.isascii()


def _weights(hits: dict[int, list[bool]], count: int, total: int) -> list[float]:
    """Return what each word counts: the rarer, the more."""
    holding = [sum(hit[number] for hit in hits.values()) for number in range(count)]
    return [math.log(1 + (total + 1) / (max(1, number) + 0.5)) for number in holding]


def _score(title: str, hit: Sequence[bool], terms: Terms, weights: Sequence[float]) -> float:
    words = set(tokens.split_words(title))
    shares = (
        weight * (1 if _has(words, term) else ELSEWHERE)
        for is_hit, term, weight in zip(hit, terms, weights, strict=True)
        if is_hit
    )
    return sum(shares) / sum(weights)


def _has(words: set[str], term: tuple[str, bool]) -> bool:
    word, is_prefix = term
    return word in words or (is_prefix and any(one.startswith(word) for one in words))


def _hits(ids: Sequence[int], terms: Terms) -> dict[int, list[bool]]:
    """Return which of the words each incident's document has."""
    if not ids:
        return {}
    columns, parameters = [], []
    for word, is_prefix in terms:
        columns.append("INSTR(document, %s) > 0")
        parameters.append(f" {tokens.PUBLIC}{word}{'' if is_prefix else ' '}")
    numbers = ",".join(str(int(pk)) for pk in ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {id_column()}, {', '.join(columns)} FROM incidents_search "  # noqa: S608 (numbers and our own)
            f"WHERE {id_column()} IN ({numbers})",
            parameters,
        )
        return {row[0]: [bool(value) for value in row[1:]] for row in cursor.fetchall()}
