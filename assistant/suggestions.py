"""What is suggested about an incident. Pure; `confidence` and `score` are between 0 and 1.

Ids are the same for the same suggestion, so that reading writes nothing: `similar-1033`, `cause-change-88`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.vocabulary import Confidence, EvidenceKind, ReasonKind, SuggestionKind, SummaryPart, confidence_word


@dataclass(frozen=True)
class Evidence:
    """A row that speaks for a suggestion."""

    kind: EvidenceKind
    id: int
    text: str = ""


@dataclass(frozen=True)
class Reason:
    """Why two incidents are taken for alike: for people, and for programs."""

    kind: ReasonKind
    text: str
    value: str = ""


@dataclass(frozen=True)
class Similar:
    """An earlier incident that is like this one."""

    incident: int
    reference: str
    title: str
    score: float
    because: tuple[Reason, ...]

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.incident}"

    @property
    def kind(self) -> SuggestionKind:
        return SuggestionKind.SIMILAR

    @property
    def confidence_word(self) -> Confidence:
        return confidence_word(self.score)

    @property
    def snapshot(self) -> Mapping[str, Any]:
        """What is kept with a verdict: no text of the other incident."""
        return {"score": self.score, "because": [reason.kind.value for reason in self.because]}


@dataclass(frozen=True)
class Duplicate(Similar):
    """An open or recent incident that this one probably repeats."""

    @property
    def kind(self) -> SuggestionKind:
        return SuggestionKind.DUPLICATE


@dataclass(frozen=True)
class Cause:
    """A hypothesis; `incident` is the similar one that it is taken from, if it is."""

    id: str
    hypothesis: str
    confidence: float
    evidence: tuple[Evidence, ...]
    incident: int | None = None

    @property
    def kind(self) -> SuggestionKind:
        return SuggestionKind.CAUSE

    @property
    def confidence_word(self) -> Confidence:
        return confidence_word(self.confidence)

    @property
    def snapshot(self) -> Mapping[str, Any]:
        evidence = [{"kind": one.kind.value, "id": one.id} for one in self.evidence]
        return {"hypothesis": self.hypothesis, "confidence": self.confidence, "evidence": evidence}


@dataclass(frozen=True)
class SummaryLine:
    """A sentence or two of a summary."""

    part: SummaryPart
    text: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Summary:
    """Where the incident stands, for whoever takes over; its evidence are events. `text` is the lines' texts."""

    id: str
    text: str
    evidence: tuple[Evidence, ...]
    lines: tuple[SummaryLine, ...] = ()

    @property
    def kind(self) -> SuggestionKind:
        return SuggestionKind.SUMMARY

    @property
    def incident(self) -> None:
        return None

    @property
    def snapshot(self) -> Mapping[str, Any]:
        return {"text": self.text, "evidence": [one.id for one in self.evidence]}
