"""Guess the encoding of a text."""

import codecs
import re
from typing import IO

from core.text.encodings import marked_as

SAMPLE_BYTES = 64 * 1024
LONGEST_CHARACTER = 4
UNSURE = 0.15  # chardet's confidence in a few words
FALLBACK = "cp1252"

WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
MAINFRAME = ("cp037", "cp500", "cp1140", "cp273")
# Of Windows, DOS, ISO, Apple, Unix and East Asia.
LIKELY = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
    *("cp437", "cp737", "cp775", "cp850", "cp852", "cp855", "cp857", "cp858", "cp862", "cp864", "cp866"),
    *("iso8859-1", "iso8859-2", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-13"),
    *("iso8859-15", "mac-roman", "mac-cyrillic", "koi8-r", "koi8-u", "tis-620"),
    *("cp932", "euc-jp", "gb18030", "big5", "euc-kr", "cp949"),
)
WESTERN = (FALLBACK, "cp850", "mac-roman")  # most common first

KANA = re.compile(r"[\u3041-\u30ff]{2,}")
HALF_WIDTH = re.compile(r"[\uff61-\uff9f]")
JAPANESE = ("cp932", "euc-jp")

CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x19\x1c-\x1f]")
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
LATIN_WORD = re.compile(r"(?:[a-z]|[À-ÖØ-öø-žſȘ-țß])+", re.IGNORECASE)
WITHIN_WORDS = re.compile(r"[^\W\d_][‚„“”‘•…™¡¿¹²³]\w|[^\W\d_][¹³]|þ|ð|ý|Ÿ")  # what Western texts do not have
TYPOGRAPHY = frozenset("€‚„…‘’“”•–—™¡¿§©«®°±²³´µ·¹»ªº£¢¥ \u00a0")


def is_valid(source: IO[bytes], encoding: str) -> bool:
    """Return whether all of it decodes."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    source.seek(0)
    try:
        while chunk := source.read(SAMPLE_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def detect_encoding(source: IO[bytes]) -> str:
    """Return the likely encoding."""
    source.seek(0)
    sample = source.read(SAMPLE_BYTES)
    if marked := marked_as(sample):
        return marked
    if b"\0" in sample:
        return next(
            (encoding for encoding in WIDE if is_valid(source, encoding) and _is_wide(sample, encoding)), "utf-8"
        )
    if is_valid(source, "utf-8"):
        return "iso2022_jp" if _is_iso2022(sample) else "utf-8"
    return guess_code_page(_sample_beyond_ascii(source, sample))


def guess_code_page(sample: bytes) -> str:
    """Return the likely code page."""
    if (CONTROLS.search(sample) or sample.count(b"@") > sample.count(b" ")) and (mainframe := _guess_mainframe(sample)):
        return mainframe
    if _is_mostly_utf8(sample):
        return "utf-8"
    if japanese := _guess_japanese(sample):
        return japanese
    # Imported late: its tables take 0.2 s and 30 MB.
    import chardet

    found = chardet.detect(sample, include_encodings=LIKELY, no_match_encoding=FALLBACK)
    if found["confidence"] < UNSURE and (western := _guess_western(sample)):
        return western
    return _fitting_codec(str(found["encoding"] or FALLBACK), sample)


def _sample_beyond_ascii(source: IO[bytes], sample: bytes) -> bytes:
    lines = _beyond_ascii(sample)
    source.seek(len(sample))
    while not lines and (chunk := source.read(SAMPLE_BYTES)):
        lines = _beyond_ascii(chunk)
    return lines or sample


def _beyond_ascii(chunk: bytes) -> bytes:
    return b"\n".join(line for line in chunk.split(b"\n") if not line.isascii())


def _is_iso2022(sample: bytes) -> bool:
    return b"\x1b$B" in sample or b"\x1b$@" in sample


def _is_wide(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, "ignore")
    common = sum(mark.isascii() and (mark.isprintable() or mark.isspace()) for mark in text)
    return "\0" not in text and common * 20 >= len(text)


def _is_mostly_utf8(sample: bytes) -> bool:
    valid = UTF8_SEQUENCE.findall(sample)
    rest = len(BEYOND_ASCII.findall(sample)) - sum(map(len, valid))
    return len(valid) > 3 * rest


def _guess_mainframe(sample: bytes) -> str:
    best = max(MAINFRAME, key=lambda encoding: _count_plain(sample.decode(encoding)))
    return best if _count_plain(sample.decode(best)) * 10 >= len(sample) * 9 else ""


def _count_plain(text: str) -> int:
    return sum(mark.isalnum() or mark in " .,:;-_/()[]'\"=\t\r\n\x85" for mark in text)


def _guess_japanese(sample: bytes) -> str:
    for encoding in JAPANESE:
        text = sample.decode(encoding, "replace")
        beyond = [mark for mark in text if not mark.isascii()]
        found = sum(map(len, KANA.findall(text)))
        if text.count("\ufffd") <= 1 and not HALF_WIDTH.search(text) and found * 3 > len(beyond):
            return encoding
    return ""


def _guess_western(sample: bytes) -> str:
    return next((encoding for encoding in WESTERN if _is_latin(sample, encoding)), "")


def _is_latin(sample: bytes, encoding: str) -> bool:
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    words = [word for word in LATIN_WORD.findall(text) if not word.isascii()]
    rest = {mark for mark in LATIN_WORD.sub("", text) if not mark.isascii()}
    is_mixed = all(2 * sum(not mark.isascii() for mark in word) <= len(word) + 1 for word in words)
    return bool(words) and is_mixed and rest <= TYPOGRAPHY and not WITHIN_WORDS.search(text)


def _fitting_codec(name: str, sample: bytes) -> str:
    try:
        sample.decode(name, "strict")
    except LookupError:
        return FALLBACK
    except UnicodeDecodeError as error:
        # The sample may end within a character.
        return name if error.start > len(sample) - LONGEST_CHARACTER else FALLBACK
    return codecs.lookup(name).name
