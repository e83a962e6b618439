"""Cut outputs, and take secrets out of them. Pure."""

import re
from collections.abc import Iterable

from remediation.steps.port import MAX_OUTPUT

REMOVED = "[removed]"
CUT = "\n[cut]"
SHORTEST = 4  # characters of a secret that is searched for
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\b(?:gh[oprsu]_|github_pat_|glpat-|xox[abeoprs]-|sk-|sk_live_|rk_live_)[\w-]{10,}"),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(?<=\bbasic )[\w+/=-]{8,}"),
    re.compile(r"(?<=://)[^\s/@:]{1,100}:[^\s/@]{1,200}(?=@)"),
)
NAMED = re.compile(
    r"(?i)(?P<name>[\w-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|credential)s?[\"']?\s*[:=]\s*)"
    r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&\"']+)"
)


def cleaned(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without what looks like a secret or is one of these, at most MAX_OUTPUT characters."""
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, REMOVED)
    text = UNPRINTABLE.sub("\ufffd", text[: 4 * MAX_OUTPUT])
    for pattern in PATTERNS:
        text = pattern.sub(REMOVED, text)
    text = NAMED.sub(lambda match: f"{match['name']}{REMOVED}", text)
    return text if len(text) <= MAX_OUTPUT else f"{text[: MAX_OUTPUT - len(CUT)]}{CUT}"
