"""Write a text plainly: escapes decoded, addresses made whole, invisible characters gone, look-alikes as ASCII."""

import html
import re
import unicodedata

ROUNDS = 3  # of escapes within escapes
PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
ESCAPES = re.compile(r"\\u\{([0-9A-Fa-f]{1,6})\}|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\U([0-9A-Fa-f]{8})")
QUOTED_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2}){3,}")
SOFT_BREAK = re.compile(r"(?<=[\w+/])=\r?\n(?=[\w+/])")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
DEFANGED = (
    (re.compile(r" ?\[(?:\.|dot)\] ?|\((?:\.|dot)\)"), "."),
    (re.compile(r" ?\[(?:@|at)\] ?|\((?:@|at)\)"), "@"),
)
COMBINING = re.compile("[̀-ͯ︀-️]")  # left over once composed: over plain letters
OURS = re.compile(r"<\s*([a-z]{2,10}-\d{1,6})\s*>")

# Letters and punctuation that look like ASCII; NFKC knows the wide and the mathematical ones.
_FROM = "аАВсСеЕНһіІјЈКММоОрРѕЅТуУхХԁԛԝᴀɡɩııΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυχօսոց’‘‚‛“”„‐‑‒–—−꞉∶⁄∕"
_INTO = "aABcCeEHhiIjJKMMoOpPsSTyYxXdqwAgiiiABEZHIKMNOPTYXaivopuxounq''''\"\"\"------::" + "//"
LOOK_ALIKES = str.maketrans(_FROM, _INTO)


def plain(text: str) -> str:
    """Return a text without escapes, invisible characters and marks that look like our pseudonyms."""
    for _round in range(ROUNDS):
        decoded = _decoded(text)
        if decoded == text:
            break
        text = decoded
    text = unicodedata.normalize("NFKC", text)
    kept = (one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cs", "Cn"))
    text = COMBINING.sub("", "".join(kept))
    for pattern, meant in DEFANGED:
        text = pattern.sub(meant, text)
    return OURS.sub(r"(\1)", text)


def folded(text: str) -> str:
    """Return it with look-alikes as ASCII, character for character."""
    return text.translate(LOOK_ALIKES)


def _decoded(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = SOFT_BREAK.sub("", text)
    text = PERCENT.sub(lambda match: _bytes(match[0].replace("%", "")), text)
    text = QUOTED_PRINTABLE.sub(lambda match: _bytes(match[0].replace("=", "")), text)
    text = ESCAPES.sub(lambda match: _character(next(filter(None, match.groups()))), text)
    return ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _bytes(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-8", "replace")


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number < 0x110000 else ""
