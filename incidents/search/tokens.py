"""Text into search tokens. Pure.

A token is a mark, an underscore and a folded word: `p_` for text everybody may read, `i_` for internal text. The mark
keeps the two apart (nobody can type one), keeps words of one letter above MySQL's minimum length of three, and off its
list of stop words. Folding: Unicode NFKC, case folded, Latin and Cyrillic accents removed (Zürich = zurich). Text
without spaces between words (Chinese, Japanese, Korean) becomes pairs of neighbouring characters, the usual way to
search it without a dictionary.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

PUBLIC = "p_"
INTERNAL = "i_"
MAX_WORD = 60  # characters; InnoDB's limit is 84
MAX_QUERY_WORDS = 12

_ACCENTS = re.compile("[\u0300-\u036f]")
_CJK = "\u2e80-\u2fdf\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_PIECES = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_CJK_PIECE = re.compile(rf"[{_CJK}]")


def words(text: str) -> Iterator[str]:
    """The folded words of a text, in order, with repeats."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)))
    for piece in _PIECES.findall(folded):
        if _CJK_PIECE.match(piece):
            yield from _pairs(piece)
        else:
            yield piece[:MAX_WORD]


def document(public: str, internal: str = "") -> str:
    """The tokens of an incident's texts, each once, separated by spaces."""
    tokens = dict.fromkeys(PUBLIC + word for word in words(public))
    tokens |= dict.fromkeys(INTERNAL + word for word in words(internal))
    return " ".join(tokens)


def query_words(text: str) -> list[str]:
    """The words that a query asks for, each once; at most twelve, more would only narrow what is already narrow."""
    return list(dict.fromkeys(words(text)))[:MAX_QUERY_WORDS]


def _pairs(piece: str) -> Iterator[str]:
    """Neighbouring characters; every character by itself too, so that a query of one character finds it."""
    yield from piece
    for left, right in pairwise(piece):
        yield left + right
