"""Turn text into search tokens: a mark and a folded word (NFKC, case folded, without accents).

The mark lifts words over MySQL's minimum length and stop words. Text without spaces becomes pairs of characters.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from core.text.normalizing import normalized

PUBLIC = "p_"
INTERNAL = "i_"
MAX_WORD = 60  # characters; InnoDB's limit is 84
MAX_QUERY_WORDS = 12

MIN_PREFIX = 3  # letters

# Accents and vowel points.
_OPTIONAL = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u08d3-\u08e1\u08e3-\u08ff\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20f0\ufb1e\ufe20-\ufe2f]"
)
_PLAIN = str.maketrans(
    {
        **dict(zip("øđðłħŧıƀɨʉɓɗ", "oddlhtibiubd", strict=True)),
        **{"æ": "ae", "œ": "oe", "þ": "th", "ŋ": "ng", "ĸ": "k", "ʻ": "", "ʼ": "", "ʹ": ""},
        **{"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ۀ": "ه", "ھ": "ه", "ہ": "ه", "ٱ": "ا"},
    }
)
_SPACELESS = (
    "\u0e01-\u0e4e\u0e50-\u0e59\u0e81-\u0ece\u0ed0-\u0edf\u0f00\u0f18-\u0f33\u0f35\u0f37\u0f39\u0f40-\u0fbc"
    "\u1000-\u1049\u1050-\u109d\u1780-\u17d3\u17d7\u17dc\u17dd\u17e0-\u17e9\ua9e0-\ua9fe\uaa60-\uaa76\uaa7a-\uaa7f"
)
_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    f"\uac00-\ud7af\uf900-\ufaff{_SPACELESS}"
)
_CJK_PIECE = re.compile(rf"[{_CJK}]")
# Vowel signs, which \w lacks.
_SIGNS = "".join(
    sign
    for sign in map(chr, range(0x0300, 0xFFFF))
    if unicodedata.category(sign) in ("Mn", "Mc") and not _CJK_PIECE.match(sign)
)
_PIECES = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:[{_SIGNS}]+[^\W_{_CJK}]*)*")
_ASCII_PIECES = re.compile("[a-z0-9]+")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)


def split_words(text: str) -> Iterator[str]:
    """Yield the folded words; of CJK text, characters and pairs."""
    for piece in _split_pieces(text):
        if _CJK_PIECE.match(piece):
            yield from map(_spell_rare, piece)
            yield from _pair_characters(piece)
        else:
            yield (piece if piece.isascii() else _spell_rare(piece))[:MAX_WORD]


def build_document(public: str, internal: str = "") -> str:
    """Return the tokens, each once."""
    tokens = dict.fromkeys(PUBLIC + word for word in split_words(public))
    tokens |= dict.fromkeys(INTERNAL + word for word in split_words(internal))
    return f" {' '.join(tokens)} " if tokens else ""


def query_terms(text: str) -> list[tuple[str, bool]]:
    """Return the words, and whether each is a prefix: `cert` finds certificates, 104 not 1042."""
    asked: dict[str, bool] = {}
    for piece in _split_pieces(text):
        if _CJK_PIECE.match(piece):
            asked |= dict.fromkeys(_pair_characters(piece) if len(piece) > 1 else [_spell_rare(piece)], False)
        else:
            asked[_spell_rare(piece)[:MAX_WORD]] = len(piece) >= MIN_PREFIX and not piece.isnumeric()
    return list(asked.items())[:MAX_QUERY_WORDS]


def word_line(text: str) -> str:
    """Return the folded words between spaces; each CJK character is a word."""
    pieces = (" ".join(piece) if _CJK_PIECE.match(piece) else piece for piece in _split_pieces(text))
    line = " ".join(pieces)
    return f" {line} " if line else ""


def _split_pieces(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_PIECES.findall(text.lower())
    folded = normalized("NFKC", _UNSEEN.sub("", text)).casefold()
    folded = normalized("NFC", _OPTIONAL.sub("", normalized("NFD", folded)))
    return _PIECES.findall(folded.translate(_PLAIN))


def _pair_characters(piece: str) -> Iterator[str]:
    return (_spell_rare(left) + _spell_rare(right) for left, right in pairwise(piece))


def _spell_rare(piece: str) -> str:
    """Return the piece with letters that an engine takes for spaces as numbers; both know Unicode 3.2."""
    if piece.isascii():
        return piece
    return "".join(letter if _is_known(letter) else f"u{ord(letter):x}_" for letter in piece)


def _is_known(letter: str) -> bool:
    return letter <= "\uffff" and unicodedata.ucd_3_2_0.category(letter)[0] in "LN"
