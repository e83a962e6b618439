"""Whether our own mail server found a sender genuine (RFC 8601); its topmost word counts."""

import re
from dataclasses import dataclass

COMMENT = re.compile(r"\([^()]*\)")
RESULT = re.compile(
    r"\s*(?P<method>[a-z0-9-]+)(?:/\d+)?\s*=\s*(?P<result>[a-z]+)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
PROPERTY = re.compile(
    r"(?P<name>[a-z]+\.[a-z0-9-]+)\s*=\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<plain>[^\s;]+))", re.IGNORECASE
)
MOST_NESTED = 10


@dataclass(frozen=True)
class Verdict:
    is_genuine: bool
    because: str


def judge(results: list[str], server: str, sender: str) -> Verdict:
    """Judge a From address by Authentication-Results, topmost first; `server` is our authserv-id."""
    domain = sender.rpartition("@")[2].lower()
    if not server:
        return Verdict(False, "No mail server is trusted to check senders (INBOUND_AUTHSERV_ID).")
    ours = next((parts for parts in map(_split, results) if parts and _name_of(parts[0]) == server.lower()), None)
    if ours is None:
        return Verdict(False, f"{server} did not say whether its sender is genuine.")
    found = [(method, result, properties) for method, result, properties in map(_read, ours[1:]) if method]
    if any(method == "dmarc" and result == "fail" for method, result, _ in found):
        return Verdict(False, "The sender is not genuine (dmarc=fail).")
    for method, result, properties in found:
        if result == "pass" and _speaks_for(method, properties, domain):
            return Verdict(True, f"{method}=pass")
    return Verdict(False, "Neither DMARC, DKIM nor SPF shows that its sender is genuine.")


def _split(value: str) -> list[str]:
    for _ in range(MOST_NESTED):
        value, number = COMMENT.subn(" ", value)
        if not number:
            break
    return [part for part in value.split(";") if part.strip()]


def _name_of(part: str) -> str:
    words = part.split()
    return words[0].lower() if words else ""


def _read(part: str) -> tuple[str, str, dict[str, str]]:
    found = RESULT.fullmatch(part)
    if found is None:
        return "", "", {}
    properties = {
        one["name"].lower(): (one["quoted"] if one["quoted"] is not None else one["plain"]).lower()
        for one in PROPERTY.finditer(found["rest"])
    }
    return found["method"].lower(), found["result"].lower(), properties


def _speaks_for(method: str, properties: dict[str, str], domain: str) -> bool:
    if method == "dmarc":
        return properties.get("header.from", "").rpartition("@")[2] == domain
    if method == "dkim":
        signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
        return is_aligned(signer, domain)
    if method == "spf":
        return properties.get("smtp.mailfrom", "").rpartition("@")[2] == domain
    return False


def is_aligned(signer: str, domain: str) -> bool:
    """Return whether the domain is the signer's or below it."""
    return "." in signer and (domain == signer or domain.endswith(f".{signer}"))
