"""How bad a line is: from its sender's word or number, or guessed from its text. Pure."""

import re
from functools import lru_cache
from typing import Any

from logs.vocabulary import Level

_WORDS = {
    Level.TRACE: "trace verbose finest finer notset silly",
    Level.DEBUG: "debug dbg fine config",
    Level.INFO: "info information informational notice log default unknown success",
    Level.WARNING: "warning warn wrn",
    Level.ERROR: "error err eror severe failure",
    Level.CRITICAL: "critical crit fatal ftl emergency emerg alert panic dpanic",
}
LEVEL_OF = {word: level for level, words in _WORDS.items() for word in words.split()}
# A glog line begins with its letter, klog's likewise; journald and some libraries write the letter alone.
LEVEL_OF |= {"t": Level.TRACE, "d": Level.DEBUG, "i": Level.INFO, "w": Level.WARNING, "e": Level.ERROR}
LEVEL_OF |= {"f": Level.CRITICAL, "c": Level.CRITICAL}

# RFC 5424, 6.2.1: 0 emergency, 1 alert, 2 critical, 3 error, 4 warning, 5 notice, 6 informational, 7 debug.
_SYSLOG = (Level.CRITICAL,) * 3 + (Level.ERROR, Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG)

_HEAD_LENGTH = 200  # a level stands near the beginning of a line
_SHOUTED = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRIT(?:ICAL)?|FATAL|EMERG(?:ENCY)?|PANIC)\b"
)
_MARKED = re.compile(
    r"(?:\b(?:level|lvl|severity)[\"']?\s*[=:]\s*[\"']?|[\[<(])"
    r"(trace|debug|info|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|alert|emerg|panic)\b",
    re.IGNORECASE,
)
_GLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_LED = re.compile(r"\s*(trace|debug|info|notice|warning|warn|error|critical|fatal|panic)\s*:", re.IGNORECASE)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|^panic: |\b[A-Za-z.]+(?:Exception|Error): ", re.MULTILINE)


def level_of(value: Any) -> Level | None:
    """The level of a word, of a syslog severity (0–7), or of a number on the scale of Python, pino and bunyan (10–60);
    None for what says nothing.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _of_word(value[:32])
    if isinstance(value, (int, float)) and 0 <= value <= 100:
        return syslog_level(int(value)) if value < 8 else _of_ten(int(value))
    return None


def syslog_level(severity: int) -> Level:
    """The level of a syslog severity, 0–7."""
    return _SYSLOG[severity] if 0 <= severity < len(_SYSLOG) else Level.DEBUG


def python_level(number: int) -> Level:
    """The level of a `levelno` of Python's logging: 10 debug, 20 info, 30 warning, 40 error, 50 critical."""
    if number < 10:
        return Level.TRACE
    return Level(min(number // 10 + 1, Level.CRITICAL))


def guess_level(text: str) -> Level | None:
    """The level that a line names near its beginning, or that a stack trace in it shows; None where it names none."""
    head = text[:_HEAD_LENGTH]
    if match := _GLOG.match(head):
        return LEVEL_OF[match[1].lower()]
    for pattern in (_SHOUTED, _MARKED, _LED):
        if (match := pattern.search(head) if pattern is not _LED else pattern.match(head)) is not None:
            return LEVEL_OF[match[1].lower()]
    return Level.ERROR if _TRACEBACK.search(text[:2000]) else None


@lru_cache(maxsize=512)
def _of_word(word: str) -> Level | None:
    plain = word.strip().lower()
    if plain.isascii() and plain.isdigit():
        return level_of(int(plain))
    # `info2` is OTLP's, `[error]` Apache's, `Microsoft.Extensions.Logging.LogLevel.Error` speaks for itself.
    plain = plain.strip("[]<>(): ").rpartition(".")[2].rstrip("0123456789")
    return LEVEL_OF.get(plain)


def _of_ten(number: int) -> Level:
    """pino and bunyan: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal."""
    return Level(max(Level.TRACE, min(number // 10, Level.CRITICAL)))
