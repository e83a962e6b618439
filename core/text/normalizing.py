"""Unicode normal forms in linear time: ordering marks is quadratic."""

import unicodedata
from collections.abc import Iterator
from typing import Literal

PIECE = 256
# composing without being marks: Korean vowels and endings, Japanese voiced signs
JOINED_ON = ((0x1160, 0x11FF), (0x3130, 0x318F), (0xFF9E, 0xFFDC))

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


def normalized(form: Form, text: str) -> str:
    """Return this form; beyond some 250 marks a letter may differ."""
    if len(text) <= PIECE or text.isascii():
        return unicodedata.normalize(form, text)
    return "".join(unicodedata.normalize(form, piece) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + PIECE
        while end < min(len(text), start + 2 * PIECE) and _is_joined_on(text[end]):
            end += 1
        yield text[start:end]
        start = end


def _is_joined_on(mark: str) -> bool:
    if mark.isascii():
        return False
    return unicodedata.category(mark)[0] == "M" or any(first <= ord(mark) <= last for first, last in JOINED_ON)
