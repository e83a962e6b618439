r"""Compile people's regular expressions to RE2: linear in time, bounded in size. Pure.

As in Python, \w, \d and \s cover all scripts, and "." matches a new line.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from threading import Lock

import re2
from cachetools import LRUCache, cached

PATTERN_LENGTH = 500
LENGTH = 1000  # characters of a value
MAX_MEMORY = 256 * 1024  # bytes, with the engine's caches
MAX_CACHED_BYTES = 16 * 1024 * 1024  # per process and cache of patterns
# Bytes of a pattern, and per instruction with its cached states.
LEAST_WEIGHT, INSTRUCTION_WEIGHT = 2048, 256

# Ranges: a Unicode class is thousands of instructions.
_WORD = (
    r"0-9A-Z_a-z\x{aa}\x{b2}\x{b3}\x{b5}\x{b9}\x{ba}\x{bc}-\x{be}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1fff}"
    r"\x{2070}-\x{209f}\x{20d0}-\x{218f}\x{2460}-\x{24ff}\x{2c00}-\x{2dff}\x{2e80}-\x{2fff}\x{3005}-\x{3007}"
    r"\x{3021}-\x{302f}\x{3031}-\x{dfff}\x{f900}-\x{fe0f}\x{fe20}-\x{fe2f}\x{fe70}-\x{fefe}\x{ff10}-\x{ff19}"
    r"\x{ff21}-\x{ff3a}\x{ff3f}\x{ff41}-\x{ff5a}\x{ff66}-\x{ffdf}\x{10000}-\x{1cfff}\x{1d400}-\x{1efff}"
    r"\x{20000}-\x{e0fff}"
)
_SPACE = r"\t-\r\x1c- \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_CLASSES = {"w": _WORD, "s": _SPACE, "d": r"\p{Nd}", "D": r"\P{Nd}"}
_FLAGS = re.compile(r"\(\?[a-zA-Z]*(?:-[a-zA-Z]+)?[:)]")
_REPEATED = re.compile(r"[*+?]|\{\d*,?\d*\}")
_LOOKING = ("(?=", "(?!", "(?<=", "(?<!")
# literal words with bars between
_WORDS = re.compile(r"[^\\.^$*+?{}\[\]()]*")
_AROUND = re.compile(r"(\.\*)?([^\\.^$*+?{}\[\]()|]+)(\.\*)?")


class PatternInvalid(ValueError):
    """The message says why."""


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("matches", "occurs_in", "weight")

    def __init__(self, matches: Callable[[str], bool], occurs_in: Callable[[str], bool], instructions: int = 0) -> None:
        self.matches = matches  # the whole text
        self.occurs_in = occurs_in  # anywhere
        self.weight = min(MAX_MEMORY, LEAST_WEIGHT + instructions * INSTRUCTION_WEIGHT)


@cached(LRUCache(MAX_CACHED_BYTES, getsizeof=lambda pattern: pattern.weight), lock=Lock())
def compiled(pattern: str) -> Pattern:
    """Compile a pattern. Raises PatternInvalid."""
    if len(pattern) > PATTERN_LENGTH:
        raise PatternInvalid(f"A pattern can have at most {PATTERN_LENGTH} characters.")
    regex = _regex(pattern)
    if (words := words_of(pattern)) is not None:
        return _of_words(words)
    if around := _AROUND.fullmatch(pattern):
        word = around[2]
        return Pattern(_around(word, bool(around[1]), bool(around[3])), lambda text: word in text)
    return Pattern(
        lambda text: regex.fullmatch(text.encode("utf-8", "replace")) is not None,
        lambda text: regex.search(text.encode("utf-8", "replace")) is not None,
        regex.programsize,
    )


def words_of(pattern: str) -> list[str] | None:
    """Return the words of a pattern that only alternates words."""
    return pattern.split("|") if _WORDS.fullmatch(pattern) else None


def _of_words(words: list[str]) -> Pattern:
    return Pattern(frozenset(words).__contains__, lambda text: any(word in text for word in words))


def _around(word: str, before: bool, after: bool) -> Callable[[str], bool]:
    if before and after:
        return lambda text: word in text
    return (lambda text: text.endswith(word)) if before else (lambda text: text.startswith(word))


def _regex(pattern: str) -> "re2._Regexp":
    try:
        return re2.compile(_Translation(pattern).whole().encode(), _options())
    except UnicodeEncodeError as error:
        raise PatternInvalid("The pattern contains an invalid character.") from error
    except re2.error as error:
        raise PatternInvalid(_sentence(pattern, error)) from error


@lru_cache(maxsize=1)
def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem, options.dot_nl, options.never_capture, options.log_errors = MAX_MEMORY, True, True, False
    return options


def _sentence(pattern: str, error: Exception) -> str:
    said = error.args[0] if error.args else ""
    why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if "too large" in why:
        return f"{pattern} is too large once its repetitions are written out; repeat less."
    if why.startswith("invalid repetition size"):
        return f"{pattern} repeats {why.partition(': ')[2]} times: at most 1,000, the lesser number first."
    return f"{pattern} is not a regular expression: {why}."


class _Translation:
    """Translation from Python's syntax to RE2's."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def whole(self) -> str:
        found = []
        while self.at < len(self.pattern):
            found.append(self._part())
        return "".join(found)

    def _part(self) -> str:
        start = self.pattern[self.at]
        if start == "\\":
            return self._escape()
        if start == "[":
            return self._class()
        if self.pattern.startswith("(?", self.at):
            return self._group()
        if repeated := _REPEATED.match(self.pattern, self.at):
            return self._repetition(repeated[0])
        self.at += 1
        return start

    def _refuse(self, what: str) -> PatternInvalid:
        return PatternInvalid(
            f"{self.pattern} holds {what}, which RE2 does not support. RE2 matches patterns here: it is never slow."
        )

    def _repetition(self, said: str) -> str:
        self.at += len(said)
        if said == "{}":
            return r"\{\}"
        if self.pattern.startswith("+", self.at):
            raise self._refuse(f"the possessive repetition {said}+")
        return said.replace("{,", "{0,")

    def _group(self) -> str:
        rest = self.pattern[self.at :]
        if rest.startswith(_LOOKING):
            raise self._refuse("a look-ahead or look-behind, " + rest[: 4 if rest[2] == "<" else 3])
        if rest.startswith("(?P="):
            raise self._refuse("a reference back to a group, (?P=")
        if rest.startswith("(?>"):
            raise self._refuse("an atomic group, (?>")
        if rest.startswith("(?("):
            raise self._refuse("a condition on a group, (?(")
        if rest.startswith("(?#"):
            self.at += rest.find(")") + 1 or len(rest)
            return "(?:)"
        if flags := _FLAGS.match(rest):
            return self._flags(flags[0])
        self.at += 2
        return "(?"

    def _flags(self, said: str) -> str:
        letters = set(said) - set("(?:)-u")
        if unknown := letters - set("ims"):
            raise self._refuse(f"the flag {min(unknown)} (there are i, m and s)")
        self.at += len(said)
        kept = said.replace("u", "")
        return "(?:)" if kept == "(?)" else kept

    def _escape(self) -> str:
        letter = self._escaped_letter()
        if letter and letter in "wsdD":
            return f"[{_CLASSES[letter]}]"
        if letter and letter in "WS":
            return f"[^{_CLASSES[letter.lower()]}]"
        if letter and letter in "bB":
            return self._boundary(letter)
        if letter == "Z":
            return r"\z"
        if letter and letter in "123456789":
            raise self._refuse(rf"a reference back to a group, \{letter}")
        return self._character(letter)

    def _escaped_letter(self) -> str:
        letter = self.pattern[self.at + 1 : self.at + 2]
        self.at += 1 + len(letter)
        return letter

    def _character(self, letter: str) -> str:
        digits = {"u": 4, "U": 8}.get(letter, 0)
        code = self.pattern[self.at : self.at + digits]
        if digits and re.fullmatch(r"[0-9A-Fa-f]{4,8}", code) and len(code) == digits:
            self.at += digits
            return rf"\x{{{code}}}"
        if letter == "C":
            raise self._refuse(r"\C")
        if letter == "Q":
            raise self._refuse(r"\Q")
        if letter and letter in "pP":
            said = re.match(r"\{\^?\w+\}|\w", self.pattern[self.at :])
            self.at += len(said[0]) if said else 0
            return rf"\{letter}{said[0] if said else ''}"
        return rf"\{letter}" if letter.isascii() else letter

    def _boundary(self, letter: str) -> str:
        beside = self.pattern[self.at - 3 : self.at - 2] + self.pattern[self.at : self.at + 1]
        if not beside.isascii():
            raise self._refuse(rf"\{letter} beside a letter that is not one of a to z")
        return rf"\{letter}"

    def _class(self) -> str:
        opening = re.match(r"\[\^?\]?", self.pattern[self.at :])
        said = [opening[0] if opening else "["]
        self.at += len(said[0])
        while self.at < len(self.pattern):
            letter = self.pattern[self.at]
            if letter == "\\":
                said.append(self._escape_in_class())
                continue
            self.at += 1
            said.append(r"\[" if letter == "[" else letter)
            if letter == "]":
                break
        return "".join(said)

    def _escape_in_class(self) -> str:
        letter = self._escaped_letter()
        if letter and letter in "wsdD":
            return _CLASSES[letter]
        if letter and letter in "WS":
            return _others(_CLASSES[letter.lower()])
        return r"\x08" if letter == "b" else self._character(letter)


@lru_cache
def _others(ranges: str) -> str:
    ends = [
        (_code(one[1]), _code(one[2] or one[1]))
        for one in re.finditer(r"(\\x\{\w+\}|\\x\w\w|\\.|.)(?:-(\\x\{\w+\}|\\x\w\w|\\.|.))?", ranges)
    ]
    found, first = [], 0
    for low, high in [*sorted(ends), (0x110000, 0x110000)]:
        if low > first:
            found.append(rf"\x{{{first:x}}}-\x{{{low - 1:x}}}")
        first = high + 1
    return "".join(found)


def _code(said: str) -> int:
    if said.startswith(r"\x"):
        return int(said[2:].strip("{}"), 16)
    return ord({r"\t": "\t", r"\r": "\r"}.get(said, said))
