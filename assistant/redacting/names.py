"""Find what tells where and who in a plain text: addresses, hosts, URLs, phone numbers, names of people."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

Found = tuple[int, int, str]  # start, end, kind

URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>`]+|\bwww\.[^\s\"'<>`]+", re.IGNORECASE)
ARN = re.compile(r"\barn:[\w-]+:[^\s\"'<>,]+")
EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)*")
IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
IP6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%\w+)?(?![\w])")
PORT = re.compile(r":\d{1,5}\b")
MAC = re.compile(r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b")
PHONE = re.compile(
    r"(?<![\w.])(?:\+|00)\d{1,3}[\s./()-]*(?:\(?\d{1,4}\)?[\s./-]*){2,5}\d{2,4}(?!\w)"
    r"|(?<![\w.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)|(?<![\w.])0\d{1,4}[ /-]\d{2,4}(?:[ /-]?\d{2,4}){1,3}(?!\w)"
)
UNC = re.compile(r"(?<=\\\\)[\w.-]{2,63}(?=\\)")
INSTANCE = re.compile(r"\b(?:i|vol|eni|sg|subnet|vpc|ami|snap|eipalloc)-[0-9a-f]{8,17}\b")
NUMBERED = re.compile(
    r"(?<![\w.-])[a-z][a-z0-9]*(?:-[a-z0-9]+){0,8}-\d{1,5}[a-z]?(?:-[a-z0-9]+){0,8}(?![\w-]|\.\w)", re.IGNORECASE
)
# Kubernetes makes the ends of pods' names of these letters.
POD = re.compile(
    r"(?<![\w.-])[a-z][a-z0-9]*(?:-[a-z0-9]+){0,8}-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}(?![\w-]|\.\w)"
)
SERVER = re.compile(
    r"\b(?:db|web|app|srv|server|host|node|vm|proxy|lb|mail|mx|ns|dns|sql|mysql|pg|postgres|redis|kafka|mongo|es|k8s|cache"
    r"|queue|worker|bastion|jump|gw|fw|sw|router|nas|san|esx|dc|ad|ldap|vpn|ci|jenkins|build|prod|stage|staging|dev|test)"
    r"\d{1,4}\b(?!\.\w)",
    re.IGNORECASE,
)
DOTTED = re.compile(r"(?<![\w.@/-])(?:[\w](?:[\w-]{0,61}[\w])?\.)+[A-Za-z][\w-]{1,20}\.?(?![\w(])")
# Domains of countries have two letters, and so have some files.
TOP = re.compile(
    r"[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|name|pro|dev|app|cloud|tech|online|site|store|shop|xyz|page|link|email"
    r"|live|top|club|systems|services|network|software|digital|solutions|agency|company|group|world|zone|bank|wiki|media"
    r"|internal|local|localdomain|localhost|lan|corp|intra|intranet|home|private|prod|test|example|invalid|svc|cluster"
    r"|consul|node|arpa|onion|host"
)
FILES = frozenset({"cs", "go", "gz", "hs", "js", "kt", "rb", "ts", "vb", "xz"})


def names_in(text: str) -> Iterator[Found]:
    """Yield what must not leave, the surest kinds first."""
    for kind, pattern in (("url", URL), ("resource", ARN), ("email", EMAIL)):
        yield from ((*match.span(), kind) for match in pattern.finditer(text))
    yield from _addresses(text)
    patterns = (("mac", MAC), ("phone", PHONE), ("host", UNC), ("host", INSTANCE), ("host", POD), ("host", NUMBERED))
    for match in DOTTED.finditer(text):
        if _is_host(match[0]):
            yield *match.span(), "host"
            yield from _port_after(text, match.end())
    for kind, pattern in (*patterns, ("host", SERVER)):
        for match in pattern.finditer(text):
            yield *match.span(), kind
            yield from _port_after(text, match.end()) if kind == "host" else ()


def _is_host(name: str) -> bool:
    last = name.lower().rstrip(".").rpartition(".")[2]
    return last not in FILES and TOP.fullmatch(last) is not None


def _port_after(text: str, end: int) -> Iterator[Found]:
    if port := PORT.match(text, end + (text[end : end + 1] == "]")):
        yield port.start() + 1, port.end(), "port"


def _addresses(text: str) -> Iterator[Found]:
    for pattern in (IP4, IP6):
        for match in pattern.finditer(text):
            address = match[0].rstrip(".") if pattern is IP4 else match[0].strip(".").partition("%")[0]
            try:
                ip_address(address)
            except ValueError:
                address = address.rstrip(":")
                try:
                    ip_address(address)
                except ValueError:
                    continue
            if not any(one.isalnum() for one in address):
                continue
            end = match.end() if "%" in match[0] else match.start() + len(address)
            yield match.start(), end, "ip"
            yield from _port_after(text, end)


class Words:
    """Known names, found as whole words; longer ones first. Names of several words stand for their words too."""

    def __init__(self, names: set[str], *, is_exact: bool) -> None:
        self._is_exact = is_exact
        known = {self._key(name): name for name in names if len(name.strip()) > 1}
        self._longest = max((len(name.split()) for name in known), default=0)
        self._known = known
        self._unspaced = [name for name in known if not name.isascii() and " " not in name]

    def _key(self, name: str) -> str:
        return " ".join(name.split()) if self._is_exact else " ".join(name.casefold().split())

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where known names are."""
        found = [match.span() for match in re.finditer(r"[^\s,;:!?()\[\]{}<>\"“”=|]+", text)]
        for number, (start, _end) in enumerate(found):
            for count in range(min(self._longest, len(found) - number), 0, -1):
                end = found[number + count - 1][1]
                if (place := self._place(text, start, end)) is not None:
                    yield place
                    break
        for name in self._unspaced:
            yield from (
                match.span() for match in re.finditer(re.escape(name), text if self._is_exact else text.casefold())
            )

    def _place(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        for ending in ("", ".", "'s", "’s", "'"):
            piece = text[start:end]
            if piece.endswith(ending) and self._key(piece[: len(piece) - len(ending)].lstrip("'@")) in self._known:
                lead = len(piece) - len(piece.lstrip("'@"))
                return start + lead, end - len(ending)
        return None
