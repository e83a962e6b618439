"""Match reports with the rules for reports; no ORM."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from incidents.search.tokens import word_line


class Miss(StrEnum):
    """Why a rule says nothing about a report's team or severity."""

    CATEGORY = "category"
    SERVICE = "service"
    LOCATION = "location"
    WORDS = "words"
    SERVICE_HAS_TEAM = "service_has_team"
    CATEGORY_HAS_TEAM = "category_has_team"
    RESTRICTED = "restricted"


@dataclass(frozen=True)
class RuleSpec:
    """A rule; `words` and `location` as people wrote them."""

    id: int
    name: str
    category_id: int | None = None
    service_id: int | None = None
    location: str = ""
    words: tuple[str, ...] = ()
    team_id: int | None = None
    severity: int | None = None

    def miss(self, report: "ReportFacts") -> Miss | None:
        """Return the first condition that the report does not meet."""
        if self.category_id is not None and self.category_id != report.category_id:
            return Miss.CATEGORY
        if self.service_id is not None and self.service_id not in report.service_ids:
            return Miss.SERVICE
        if self.location and not contains(report.location, self.location):
            return Miss.LOCATION
        if self.words and not any(has_words(report.text, words) for words in self.words):
            return Miss.WORDS
        return None

    def outranked(self, report: "ReportFacts") -> Miss | None:
        """Return why its team may not get a report that it matches.

        A service's or category's own team goes before rules that do not name that service or category.
        """
        if report.service_has_team and self.service_id is None:
            return Miss.SERVICE_HAS_TEAM
        if self.service_id is None and self.category_id is None:
            if report.category_has_team:
                return Miss.CATEGORY_HAS_TEAM
            if report.is_restricted:
                return Miss.RESTRICTED
        return None


@dataclass(frozen=True)
class ReportFacts:
    """What rules look at; `text` is title and description."""

    text: str = ""
    location: str = ""
    category_id: int | None = None
    service_ids: frozenset[int] = frozenset()
    service_has_team: bool = False
    category_has_team: bool = False
    is_restricted: bool = False


@dataclass(frozen=True)
class Judged:
    """A rule and what kept it from matching, or from naming the team."""

    rule: RuleSpec
    miss: Miss | None
    outranked: Miss | None

    @property
    def gives_team(self) -> bool:
        return self.rule.team_id is not None and self.miss is None and self.outranked is None

    @property
    def gives_severity(self) -> bool:
        return self.rule.severity is not None and self.miss is None


@dataclass(frozen=True)
class Decision:
    """The rules that decide a report's team and suggest its severity."""

    team: RuleSpec | None = None
    severity: RuleSpec | None = None


def judge(rules: Iterable[RuleSpec], report: ReportFacts) -> Iterator[Judged]:
    """Yield each rule with what it comes to, in order."""
    line = word_line(report.text), word_line(report.location)
    spelled = ReportFacts(**{**vars(report), "text": line[0], "location": line[1]})
    for rule in rules:
        miss = rule.miss(spelled)
        yield Judged(rule, miss, None if miss else rule.outranked(spelled))


def decide(rules: Sequence[RuleSpec], report: ReportFacts) -> Decision:
    """Return, for team and for severity, the first matching rule that names one."""
    judged = list(judge(rules, report))

    def first(gives: Callable[[Judged], bool]) -> RuleSpec | None:
        return next((one.rule for one in judged if gives(one)), None)

    return Decision(first(lambda one: one.gives_team), first(lambda one: one.gives_severity))


def has_words(line: str, words: str) -> bool:
    """Return whether a line of words has these whole words, one after the other."""
    wanted = _wanted(words)
    return bool(wanted) and wanted in line


def contains(line: str, text: str) -> bool:
    """Return whether a line of words contains the text; a number is not part of a longer one."""
    wanted = _wanted(text).strip()
    if not wanted:
        return False
    before = r"(?<!\d)" if wanted[0].isdigit() else ""
    after = r"(?!\d)" if wanted[-1].isdigit() else ""
    return re.search(f"{before}{re.escape(wanted)}{after}", line) is not None


@lru_cache(maxsize=4096)
def _wanted(text: str) -> str:
    return word_line(text)
