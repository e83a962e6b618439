"""Group log messages that differ only in variable parts. Pure.

Drain: P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017.
Unlike the paper, masked places neither lead down the tree nor count as equal: on loghub, both tell more kinds apart.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

WILD = "<*>"
LEADING_TOKENS = 2  # Drain's depth of 4, less root and length
SIMILARITY = 0.7  # share of a template's words
MAX_CHILDREN = 100  # per node; further tokens are values
MAX_TEMPLATES = 2000  # per tree; later lines share one
MAX_TOKENS = 100
MESSAGE_LENGTH = 2000
OVERFLOW = (WILD,)

# Letters around digits (blk_12, job_1-2) name the value: they stay.
_VALUES = re.compile(
    r"""
      \b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b             # UUID
    | \b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?               # ISO 8601
    | (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d{1,5})?(?![\w.]*\w)                                # IPv4, port
    | (?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}(?::|[0-9a-fA-F]{1,4})(?![\w:])                          # IPv6, MAC
    | \b0[xX][0-9a-fA-F]+\b                                                                        # hex with its mark
    | \b(?=[0-9a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{8,}\b                                         # hex without
    | (?<![\w.<>*/])(?:[A-Za-z]:\\|~?/)(?:[^\s"'()<>,;:=\\/]+[\\/])+[^\s"'()<>,;:=\\/]*            # paths
    | [-+]?(?<![A-Za-z])\d+(?:[.,]\d+)*%?                                                          # numbers
    | \d+
    """,
    re.VERBOSE,
)
_REPEATED = re.compile(r"<\*>(?:[-_.:]?<\*>)+")


def masked(message: str) -> str:
    """Replace numbers, addresses, ids, times and paths with `<*>`, statelessly: alerts' identities use it."""
    text = " ".join(message[:MESSAGE_LENGTH].split())
    return _REPEATED.sub(WILD, _VALUES.sub(WILD, text))


@dataclass(slots=True)
class Template:
    """Lines that say the same; `sample` is the first, unmasked."""

    tokens: list[str]
    sample: str
    count: int = 0

    @property
    def text(self) -> str:
        return " ".join(self.tokens)


@dataclass(slots=True)
class _Node:
    children: "dict[str, _Node]" = field(default_factory=dict)
    templates: list[Template] = field(default_factory=list)


class Drain:
    """A tree that grows with its lines."""

    def __init__(
        self, *, similarity: float = SIMILARITY, leading: int = LEADING_TOKENS, limit: int = MAX_TEMPLATES
    ) -> None:
        self._similarity = similarity
        self._leading = leading
        self._limit = limit
        self._roots: dict[int, _Node] = {}
        self._seen: dict[str, Template] = {}
        self.templates: list[Template] = []

    def add(self, message: str) -> Template:
        """Return the line's template, widened or founded."""
        text = masked(message)
        known = self._seen.get(text)
        template = known if known is not None else self._place(text, message)
        template.count += 1
        return template

    def _place(self, text: str, message: str) -> Template:
        tokens = text.split(" ", MAX_TOKENS)[:MAX_TOKENS]
        leaf = self._leaf(tokens)
        template = self._most_alike(leaf.templates, tokens)
        if template is None:
            template = self._founded(leaf, tokens, message)
        else:
            _widen(template, tokens)
        if len(self._seen) < self._limit * 10:
            self._seen[text] = template  # templates only widen: a line keeps its own
        return template

    def _leaf(self, tokens: list[str]) -> _Node:
        node = self._roots.setdefault(len(tokens), _Node())
        for token in tokens[: self._leading]:
            name = (
                WILD if WILD in token or (token not in node.children and len(node.children) >= MAX_CHILDREN) else token
            )
            node = node.children.setdefault(name, _Node())
        return node

    def _most_alike(self, templates: Iterable[Template], tokens: list[str]) -> Template | None:
        """Return the template with most equal tokens; None below SIMILARITY."""
        best, best_score = None, (self._similarity, -1)
        for template in templates:
            score = _likeness(template.tokens, tokens)
            if score >= best_score:
                best, best_score = template, score
        return best

    def _founded(self, leaf: _Node, tokens: list[str], message: str) -> Template:
        if len(self.templates) >= self._limit:
            tokens, leaf = list(OVERFLOW), self._roots.setdefault(0, _Node())
            if leaf.templates:
                return leaf.templates[0]
        template = Template(tokens, message[:MESSAGE_LENGTH])
        leaf.templates.append(template)
        self.templates.append(template)
        return template


def _likeness(template: list[str], tokens: list[str]) -> tuple[float, int]:
    equal = wild = 0
    for ours, theirs in zip(template, tokens, strict=True):
        if WILD in ours:
            wild += 1
        elif ours == theirs:
            equal += 1
    words = len(template) - wild
    return equal / words if words else 1.0, wild


def _widen(template: Template, tokens: list[str]) -> None:
    for place, (ours, theirs) in enumerate(zip(template.tokens, tokens, strict=True)):
        if ours != theirs:
            template.tokens[place] = WILD


def templates_of(messages: Iterable[str]) -> list[Template]:
    """Return the lines' templates, the most frequent first."""
    drain = Drain()
    for message in messages:
        drain.add(message)
    return sorted(drain.templates, key=lambda template: -template.count)
