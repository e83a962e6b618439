"""Tell a line's level from its sender's word or number, or its text. Pure."""

import re
from functools import lru_cache
from typing import Any

from logs.vocabulary import Level

# Words of syslog, loggers of many languages, databases, proxies, Windows, Android and clouds; letters only.
_WORDS = {
    Level.TRACE: "trace trac trce trc verbose verb vrb finest finer notset silly spam all excessive protocol extreme",
    Level.DEBUG: "debug debu dbug debg dbg deb fine config diagnostic diag development internal",
    Level.INFO: "info inf information informational notice note ntc noti log default unknown success ok okay http "
    "system audit auditsuccess successaudit status message normal event user unspecified undefined print "
    "infos information informacion informazione informazioni hinweis 情報 信息 消息 정보 инфо",
    Level.WARNING: "warning warn warni wrn wng wrning caution attention deprecated deprecation minor medium moderate "
    "auditfailure failureaudit degraded warnung avertissement advertencia aviso avviso waarschuwing 警告 경고 "
    "внимание",
    Level.ERROR: "error err erro eror errors erreur fehler errore severe failure fail failed fault exception major "
    "high stderr schwerwiegend grave serious 错误 錯誤 エラー 오류 ошибка",
    Level.CRITICAL: "critical crit crt fatal fata ftl fat emergency emerg emrg alert alrt panic pani dpanic disaster "
    "catastrophic catastrophe wtf assert blocker urgent kritisch critique critico "
    "critica 致命的 严重 嚴重 致命 치명적 фатальный",
}
LEVEL_OF = {word: level for level, words in _WORDS.items() for word in words.split()}
# The letter alone: glog, klog, journald and others.
LEVEL_OF |= {"t": Level.TRACE, "v": Level.TRACE, "d": Level.DEBUG, "i": Level.INFO, "n": Level.INFO}
LEVEL_OF |= {"w": Level.WARNING, "e": Level.ERROR, "f": Level.CRITICAL, "c": Level.CRITICAL, "a": Level.CRITICAL}

# RFC 5424, 6.2.1.
_SYSLOG = (Level.CRITICAL,) * 3 + (Level.ERROR, Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG)
# .NET and semantic_logger; 6 is none.
_OF_SIX = (Level.TRACE, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.CRITICAL)
# Windows; 0 is for audits.
_WINDOWS = (Level.INFO, Level.CRITICAL, Level.ERROR, Level.WARNING, Level.INFO, Level.DEBUG)
# Monolog; 550 is alert, 600 emergency.
_HUNDREDS = {1: Level.DEBUG, 2: Level.INFO, 3: Level.WARNING, 4: Level.ERROR, 5: Level.CRITICAL, 6: Level.CRITICAL}
# Google's LogSeverity; 600 is critical.
_GOOGLE = {0: Level.INFO, 1: Level.DEBUG, 2: Level.INFO, 3: Level.INFO, 4: Level.WARNING, 5: Level.ERROR}
_JUL = {7: Level.DEBUG, 8: Level.INFO, 9: Level.WARNING, 10: Level.ERROR}  # CONFIG to SEVERE
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_OFFSET = re.compile(r"[+-]\d+$")  # slog: ERROR+2, DEBUG-4
_NUMBERED = re.compile(r"level\((-?\d{1,3})\)")  # zap: Level(-3)

LONGEST_WORD = 100
_HEAD_LENGTH = 200
_SHOUTED = re.compile(
    r"\b(?:(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRIT(?:ICAL)?|FATAL|EMERG(?:ENCY)?|PANIC)"
    r"|(TRCE?|VRB|DBG|DBUG|DEBU?|INF|NTC|WRN|WARNI|ERRO?|EROR|FTL|FATA|CRT|PANI|ALERT))\b"
)
# Elsewhere than at the beginning, in brackets or behind a time, short words name other things.
_BEFORE_SHORT = re.compile(r"(?:^|[\[|(]|\d[\dZ:.,]*(?:\s?[AP]M)?\]?\s+\[?)$")
_MARKED = re.compile(
    r"(?:\b(?:level|lvl|severity)[\"']?\s*[=:]\s*[\"']?|[\[<(])"
    r"(trace|debug|info|notice|warn(?:ing)?|err(?:or)?|eror|crit(?:ical)?|fatal|alert|emerg|panic)\b",
    re.IGNORECASE,
)
_GLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_RUBY = re.compile(r"([DIWEFA]), \[")
_PRIORITY = re.compile(r"<(\d{1,3})>")  # syslog's facility and severity, or systemd's severity
_REDIS = re.compile(r"\d+:[A-Z] \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} ([.\-*#]) ")
_OF_REDIS = {".": Level.DEBUG, "-": Level.DEBUG, "*": Level.INFO, "#": Level.WARNING}
_PHP = re.compile(
    r"(?:\[[^\]]{1,60}\] )?PHP (?:Recoverable |Catchable )?(Fatal|Parse|Core|Compile|Warning|Notice|Deprecated)\b"
)
_OF_PHP = {"Warning": Level.WARNING, "Notice": Level.INFO, "Deprecated": Level.WARNING}
_LED = re.compile(
    r"\s*(trace|trce|debug|dbug|info|notice|warning|warn|error|fail|critical|crit|fatal|panic|alert)\s*:", re.IGNORECASE
)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|^panic: |\b[A-Za-z.]+(?:Exception|Error): ", re.MULTILINE)


def level_of(value: Any) -> Level | None:
    """Return the level of a word, or of a number on a distinct scale.

    Scales: syslog 0–7, pino and bunyan 10–60, Monolog 100–600, JUL 700–1000, Log4j 5000–50000.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _of_word(value[:64])
    if isinstance(value, (int, float)) and 0 <= value <= 100_000:
        return _of_number(int(value))
    return None


def unknown_level(value: Any) -> str:
    """Return an unknown word of the sender, or ""."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or level_of(value) is not None:
        return ""
    return str(value).strip()[:LONGEST_WORD]


def syslog_level(severity: int) -> Level:
    """Return the level of a severity 0–7."""
    return _SYSLOG[severity] if 0 <= severity < len(_SYSLOG) else Level.DEBUG


def python_level(number: int) -> Level:
    """Return the level of Python's `levelno`."""
    if number < 10:
        return Level.TRACE
    return Level(min(number // 10 + 1, Level.CRITICAL))


def level_from_zero(number: int) -> Level | None:
    """Return .NET's or semantic_logger's level, 0–5."""
    return _OF_SIX[number] if 0 <= number < len(_OF_SIX) else None


def windows_level(number: int) -> Level | None:
    """Return the level of a Windows event, 1–5."""
    return _WINDOWS[number] if 0 <= number < len(_WINDOWS) else None


def google_level(number: int) -> Level | None:
    """Return the level of Google's LogSeverity, 0–800."""
    return _GOOGLE.get(number // 100, Level.CRITICAL) if 0 <= number <= 800 else None


def severity_number_level(number: int) -> Level | None:
    """Return the level of the log data model's severity number, 1–24."""
    return _OF_SIX[(number - 1) // 4] if 1 <= number <= 24 else None


def guess_level(text: str) -> Level | None:
    """Return the level near the line's beginning, or of a stack trace."""
    head = text[:_HEAD_LENGTH]
    if "\x1b" in head:
        head = _COLOUR.sub("", head)
    if (level := _by_form(head)) is not None:
        return level
    if (level := _shouted(head)) is not None:
        return level
    if match := _MARKED.search(head) or _LED.match(head):
        return LEVEL_OF[match[1].lower()]
    return Level.ERROR if _TRACEBACK.search(text[:2000]) else None


def _shouted(head: str) -> Level | None:
    for match in _SHOUTED.finditer(head):
        if match[1] or _BEFORE_SHORT.search(head[: match.start()]):
            return LEVEL_OF[(match[1] or match[2]).lower()]
    return None


def _by_form(head: str) -> Level | None:
    if match := _GLOG.match(head) or _RUBY.match(head):
        return LEVEL_OF[match[1].lower()]
    if (match := _PRIORITY.match(head)) and int(match[1]) <= 191:
        return syslog_level(int(match[1]) % 8)
    if match := _REDIS.match(head):
        return _OF_REDIS[match[1]]
    if match := _PHP.match(head):
        return _OF_PHP.get(match[1], Level.CRITICAL if match[1] == "Fatal" else Level.ERROR)
    return None


@lru_cache(maxsize=512)
def _of_word(word: str) -> Level | None:
    plain = _COLOUR.sub("", word).strip().lower()
    if plain.isascii() and plain.isdigit():
        return level_of(int(plain))
    if match := _NUMBERED.fullmatch(plain):
        return Level.DEBUG if int(match[1]) < 0 else level_from_zero(int(match[1]) + 2)
    # `info2` is OTLP's, `[error]` Apache's
    plain = _OFFSET.sub("", plain.strip("[]<>()|: "))
    plain = plain.rpartition(".")[2].rpartition("/")[2].rpartition("::")[2].rstrip("0123456789")
    return LEVEL_OF.get(plain) or LEVEL_OF.get(re.sub(r"[\s_-]", "", plain).removeprefix("log").removeprefix("level"))


def _of_number(number: int) -> Level | None:
    if number < 8:
        return syslog_level(number)
    if number < 100:  # pino and bunyan
        return Level(max(Level.TRACE, min(number // 10, Level.CRITICAL)))
    if number <= 1000:
        return _HUNDREDS.get(number // 100) or _JUL.get(number // 100)
    if number >= 5000:  # Log4j
        return Level(min(number // 10_000 + 1, Level.CRITICAL))
    return None
