"""How many SMS a text takes (3GPP TS 23.038, 23.040), and texts cut to fit."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # two septets each
# Typographic signs would make each SMS hold 70 characters instead of 160.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\t", " "),
        **dict.fromkeys("\u2022\u00b7", "*"),
        **{"\u2026": "...", "\u2192": "->", "\u00d7": "x", "\u200b": "", "\ufeff": "", "\ufe0f": ""},
    }
)


def plain(text: str) -> str:
    """Return the text without typographic signs."""
    return text.translate(_PLAIN)


def segments(text: str) -> int:
    """Return how many SMS carry the text."""
    alone, joined = (160, 153) if is_gsm(text) else (70, 67)
    used = length(text)
    return 1 if used <= alone else -(-used // joined)


def length(text: str) -> int:
    """Return its septets, or UTF-16 units."""
    if is_gsm(text):
        return len(text) + sum(character in _EXTENDED for character in text)
    return len(text.encode("utf-16-be", "replace")) // 2


def fit(text: str, fixed: str, most: int) -> str:
    """Return the text, cut at a word so that it and `fixed` take at most `most` SMS."""
    if segments(text + fixed) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if segments(text[:middle] + "..." + fixed) <= most else (low, middle - 1)
    cut = text[:low]
    word, _, rest = cut.rpartition(" ")
    kept = word if word and len(rest) <= 20 and low < len(text) and text[low] != " " else cut
    return kept.rstrip(" ,;:-") + "..." if kept else ""


def is_gsm(text: str) -> bool:
    return all(character in _BASIC or character in _EXTENDED for character in text)
