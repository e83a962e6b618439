"""Read a model's answer: checked against its schema, each claim against the rows that were sent. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from unicodedata import category

import orjson

from assistant.prompts import QUESTIONS
from assistant.providers.port import Completion, Stop

TAG = re.compile(r"<(?![a-z]+-\d+>)/?[A-Za-z!][^>]{0,500}>")
PICTURE_OR_LINK = re.compile(r"!?\[([^\]]{0,300})\]\([^)]{0,1000}\)|!?\[([^\]]{0,300})\]\[[^\]]{0,100}\]")
ADDRESS = re.compile(r"\b(?:https?|ftp|file|data|javascript|vbscript|mailto)\s*:\S*|\bwww\.\S+", re.IGNORECASE)
MARKUP = re.compile(r"[*`#|\\]+|_{2,}|~~+|^\s*>+\s*", re.MULTILINE)
REMOVED = "(link removed)"


class NotAnAnswer(Exception):
    """The message is ours, and repeats nothing of the answer."""


@dataclass(frozen=True)
class Claim:
    """`confidence` is 0 except for causes."""

    text: str
    evidence: tuple[str, ...]
    confidence: float = 0.0


def claims_of(task: str, completion: Completion, known: Collection[str]) -> list[Claim]:
    """Return the claims that cite rows of the prompt. Raises NotAnAnswer."""
    if completion.stop == Stop.LENGTH:
        raise NotAnAnswer("it was cut off; be shorter.")
    question = QUESTIONS[task]
    found = _object_in(completion.text)
    if (error := next(_validator(task).iter_errors(found), None)) is not None:
        place = ".".join(str(part) for part in error.absolute_path if isinstance(part, int) or part in NAMES)
        raise NotAnAnswer(f"it breaks the schema's rule {error.validator!r} at {place or 'the top'}.")
    claims = [_claim(one) for one in found[question.name]]
    grounded = (replace(one, evidence=tuple(id for id in one.evidence if id in known)) for one in claims)
    return [one for one in grounded if one.evidence and one.text]


NAMES = frozenset({"causes", "sentences", "hypothesis", "text", "evidence", "confidence"})


def _object_in(text: str) -> Any:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise NotAnAnswer("it holds no JSON object.")
    try:
        return orjson.loads(text[start : end + 1])
    except orjson.JSONDecodeError as error:
        raise NotAnAnswer("it is not valid JSON.") from error


@lru_cache(maxsize=8)
def _validator(task: str) -> Any:
    from jsonschema import Draft202012Validator  # 80 ms

    return Draft202012Validator(QUESTIONS[task].schema)


def _claim(said: Mapping[str, Any]) -> Claim:
    text = said.get("hypothesis", said.get("text", ""))
    evidence = tuple(dict.fromkeys(id.strip("[] ") for id in said["evidence"]))
    return Claim(unadorned(text), evidence, round(float(said.get("confidence", 0.0)), 3))


def unadorned(text: str) -> str:
    """Return a text without links, pictures, Markdown, HTML and control characters of the model's own."""
    text = visible(text)  # first: they would hide an address
    for _round in range(3):
        before = text
        text = PICTURE_OR_LINK.sub(lambda match: match[1] or match[2] or "", text)
        text = TAG.sub("", text)
        if text == before:
            break
    return " ".join(MARKUP.sub("", ADDRESS.sub(REMOVED, text)).split())


def visible(text: str) -> str:
    """Return a text without characters that nobody sees, some of which turn the others around."""
    return "".join(one if one not in "\n\t" else " " for one in text if one in "\n\t" or category(one)[0] != "C")
