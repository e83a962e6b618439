"""Text into search tokens. Pure.

A token is a mark, an underscore and a folded word: `p_` for text everybody may read, `i_` for internal text. The mark
keeps the two apart (nobody can type one), keeps words of one letter above MySQL's minimum length of three, and off its
list of stop words. Folding: Unicode NFKC, case folded, Latin and Cyrillic accents removed (Zürich = zurich). Text
without spaces between words (Chinese, Japanese, Korean) becomes pairs of neighbouring characters, the usual way to
search it without a dictionary. Letters that one of the engines might take for a space are spelt as their number.
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
    """The folded words of a text, in order, with repeats; of CJK text both the characters and their pairs."""
    for piece in _pieces(text):
        if _CJK_PIECE.match(piece):
            yield from piece
            yield from _pairs(piece)
        else:
            yield _spelt(piece)[:MAX_WORD]


def document(public: str, internal: str = "") -> str:
    """The tokens of an incident's texts, each once, with a space before and behind each."""
    tokens = dict.fromkeys(PUBLIC + word for word in words(public))
    tokens |= dict.fromkeys(INTERNAL + word for word in words(internal))
    return f" {' '.join(tokens)} " if tokens else ""


def query_words(text: str) -> list[str]:
    """The words that a query asks for, each once; at most twelve, more would only narrow what is already narrow.

    Of CJK text the pairs alone: they imply the characters, which are asked for only where they stand by themselves.
    """
    asked: dict[str, None] = {}
    for piece in _pieces(text):
        if _CJK_PIECE.match(piece):
            asked |= dict.fromkeys(_pairs(piece) if len(piece) > 1 else piece)
        else:
            asked[_spelt(piece)[:MAX_WORD]] = None
    return list(asked)[:MAX_QUERY_WORDS]


def _pieces(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)))
    return _PIECES.findall(folded)


def _pairs(piece: str) -> Iterator[str]:
    """Neighbouring characters."""
    return (left + right for left, right in pairwise(piece))


def _spelt(piece: str) -> str:
    """The piece, with each letter that is too new or too far out for the engines' tables as its number.

    InnoDB takes whatever lies beyond U+FFFF for a space, and FTS5 a few scripts. Both know Unicode 3.2.
    """
    if piece.isascii():
        return piece
    return "".join(letter if _is_known(letter) else f"u{ord(letter):x}_" for letter in piece)


def _is_known(letter: str) -> bool:
    return letter <= "\uffff" and unicodedata.ucd_3_2_0.category(letter)[0] in "LN"
