"""Unicode's normal forms, in time that grows with the text.

Marks that follow one letter are put in order by the square of their number: sixty thousand of them take seconds, and
whoever sends a text chooses how many it has.
"""

import unicodedata
from collections.abc import Iterator
from typing import Literal

PIECE = 256
# What is put together with the letter before it and is no mark: vowels and endings of Korean, voiced signs of Japanese.
JOINED_ON = ((0x1160, 0x11FF), (0x3130, 0x318F), (0xFF9E, 0xFFDC))

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


def normalized(form: Form, text: str) -> str:
    """The text in this form. A letter with more than some 250 marks, which no script has, may keep some in another."""
    if len(text) <= PIECE or text.isascii():
        return unicodedata.normalize(form, text)
    return "".join(unicodedata.normalize(form, piece) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that begin with a letter of their own, where there is one within reach."""
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
