"""How often planted repeats are found, and nothing is said where there is nothing, beside simple baselines."""

import datetime as dt
import random
from dataclasses import dataclass

from assistant.services.similar import related_incidents
from assistant.tests.corpus import Repeat, make_history, other, report_of
from incidents.models import Incident
from incidents.search import delete_document, tokens
from users.models import User

FIRST = 5
RECENT = dt.timedelta(days=7)


@dataclass(frozen=True)
class Judged:
    """Shares between 0 and 1. `recall` is of re-fired and paraphrased repeats; baselines choose five of the same recent
    or open incidents."""

    recall: float
    refired: float
    paraphrased: float
    partial: float
    abstained: float
    by_chance: float
    by_recency: float
    by_words: float


def judge(size: int, repeats: int, unrelated: int, viewer: User, now: dt.datetime, seed: int = 1) -> Judged:
    """Make a history and ask about each repeat and each unrelated report, one after the other."""
    stored, planted = make_history(size, repeats, now, seed)
    recent = [row for row in stored if row.is_still_open or now - row.created_at <= RECENT]
    words = {row.pk: frozenset(tokens.split_words(f"{row.title} {row.description}")) for row in recent}
    hits: dict[str, list[bool]] = {"refired": [], "paraphrased": [], "partial": []}
    baselines: dict[str, list[bool]] = {"chance": [], "recency": [], "words": []}
    for number, repeat in enumerate(planted):
        original = stored[repeat.of].pk
        hits[repeat.how].append(original in _duplicates(repeat, number, viewer, now))
        if repeat.how != "partial":
            for name, chosen in _chosen(repeat, number, words).items():
                baselines[name].append(original in chosen)
    silent = [_is_silent(seed, viewer, now) for seed in range(unrelated)]
    found = [hits["refired"] + hits["paraphrased"], *hits.values(), silent, *baselines.values()]
    return Judged(*map(_share, found))


def _duplicates(repeat: Repeat, number: int, viewer: User, now: dt.datetime) -> list[int]:
    report = report_of(repeat.text, now, with_service=repeat.how == "refired" or number % 2 == 0)
    _similar, duplicates = related_incidents(report, viewer, now)
    _forget(report)
    return [one.incident for one in duplicates]


def _chosen(repeat: Repeat, number: int, words: dict[int, frozenset[str]]) -> dict[str, list[int]]:
    asked = frozenset(tokens.split_words(f"{repeat.text.title} {repeat.text.description}"))
    return {
        "chance": random.Random(f"chance/{number}").sample(sorted(words), FIRST),
        "recency": sorted(words, reverse=True)[:FIRST],
        "words": sorted(words, key=lambda pk: (-len(asked & words[pk]) / len(asked | words[pk]), -pk))[:FIRST],
    }


def _is_silent(seed: int, viewer: User, now: dt.datetime) -> bool:
    report = report_of(other(seed), now, with_service=False)
    found = related_incidents(report, viewer, now)
    _forget(report)
    return found == ((), ())


def _share(hits: list[bool]) -> float:
    return sum(hits) / len(hits) if hits else 1.0


def _forget(report: Incident) -> None:
    """Take a report back, so that the next is not found to repeat it."""
    delete_document(report)
    report.services.clear()
    report.delete()
