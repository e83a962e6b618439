"""Find what tells where and who in a plain text: addresses, hosts, URLs, phone numbers, names of people."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from ipaddress import ip_address

from assistant.redacting.normalising import folded

Found = tuple[int, int, str]  # start, end, kind

URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>`]+|\bwww\.[^\s\"'<>`]+", re.IGNORECASE)
ARN = re.compile(r"\barn:[\w-]+:[^\s\"'<>,]+")
EMAIL = re.compile(r"(?:(?<![\w.+%'-])[\w.+%'-]+|\"[^\"\n]{1,64}\")@[\w-]+(?:\.[\w-]+)*")
IP4 = re.compile(r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
IP6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%\w+)?(?![\w])")
PORT = re.compile(r":\d{1,5}\b")
MAC = re.compile(r"\b(?:[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2})\b")
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
DOTTED = re.compile(r"(?<![\w.@/-])(?:[\w](?:[\w-]{0,61}[\w])?\.)+[^\W\d_][\w-]{1,20}\.?(?![\w(])")
# What a text itself says is a host: by a label, as the part of an address, or with a port.
LABELLED_HOST = re.compile(
    r"(?i:\b(?:host(?:name)?|instance|node|nodename|pod|server|machine|vm|fqdn|data source)[\"']?[ ]?[=:][ ]?[\"']?"
    r"|\bresolve[ ](?:host[: ]+)?|\blookup[ ]"
    r"|\bconnect(?:ing|ed|ion)?[ ](?:to|with)[ ](?:host[ ])?|\bssh[ ](?:\w+@)?|(?<=[\w:])@(?=[\w-]+:\d))"
    r"([A-Za-z][\w-]{1,62})(?![\w.-]*\.\w|\w)"
)
HOST_AND_PORT = re.compile(
    r"(?<![\w./:-])(?!(?i:line|error|code|port|pid|status|errno|exit|http|localhost|col|row|id|took|version)\b)"
    r"([A-Za-z][\w-]{2,62}):(?=\d{4,5}(?![\w:.]))"
)
# Domains of countries have two letters, and so have some files.
TOP = re.compile(
    folded(
        r"[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|name|pro|dev|app|cloud|tech|online|site|store|shop|xyz|page|link|email"
        r"|live|top|club|systems|services|network|software|digital|solutions|agency|company|group|world|zone|bank|wiki|media"
        r"|internal|local|localdomain|localhost|lan|corp|intra|intranet|home|private|prod|test|example|invalid|svc|cluster"
        r"|consul|node|arpa|onion|host|xn--[\w-]+|рф|рус|бел|укр|срб|ελ|бг|мкд|қаз|中国|中國|公司|网络|香港|台灣|台湾|みんな|한국|भारत|ไทย"
    )
)
WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile("[\u2e80-\u9fff\uac00-\ud7af\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
SHORTEST = 3  # letters of a part of a name
MOST_WORDS = 12  # of a name
LONGEST_NAME = 200  # characters
FILES = frozenset({"cs", "go", "gz", "hs", "js", "kt", "rb", "ts", "vb", "xz"})


def names_in(text: str) -> Iterator[Found]:
    """Yield what must not leave, the surest kinds first."""
    for kind, pattern in (("url", URL), ("resource", ARN), ("email", EMAIL)):
        yield from ((*match.span(), kind) for match in pattern.finditer(text))
    yield from _addresses(text)
    for pattern in (LABELLED_HOST, HOST_AND_PORT):
        for match in pattern.finditer(text):
            yield *match.span(1), "host"
            yield from _port_after(text, match.end(1))
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
            address = match[0].strip(".").partition("%")[0]
            if pattern is IP4:
                address = ".".join(str(int(part)) for part in address.split("."))
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
            end = match.end() if "%" in match[0] or pattern is IP4 else match.start() + len(address)
            yield match.start(), end, "ip"
            yield from _port_after(text, end)


class Words:
    """Known names, found as whole words, whatever stands between them; longer ones first."""

    def __init__(self, names: Collection[str], *, is_exact: bool) -> None:
        self._is_exact = is_exact
        self._known = {self._key(found) for name in names if len(name.strip()) > 1 and (found := words_of(name))}
        self._longest = max((len(key) for key in self._known), default=0)
        # scripts that write no blanks: their names are found within words
        unspaced = sorted((name for name in names if UNSPACED.search(name) and len(name) > 1), key=len, reverse=True)
        self._unspaced = re.compile("|".join(map(re.escape, unspaced))) if unspaced else None

    def _key(self, words: Sequence[str]) -> tuple[str, ...]:
        plainly = (unaccented(word) for word in words[:MOST_WORDS])
        return tuple(plainly if self._is_exact else (word.casefold() for word in plainly))

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where known names are."""
        found = [match.span() for match in WORD.finditer(text)] if self._known else []
        words = self._key_of_each(text[start:end] for start, end in found)
        for number, (start, _end) in enumerate(found):
            for count in range(min(self._longest, len(found) - number), 0, -1):
                end = found[number + count - 1][1]
                if tuple(words[number : number + count]) in self._known and end - start < LONGEST_NAME:
                    yield start, end
                    break
        if self._unspaced is not None:
            yield from (match.span() for match in self._unspaced.finditer(text))

    def _key_of_each(self, words: Iterable[str]) -> list[str]:
        return [one for word in words for one in self._key((word,))]


def words_of(name: str) -> list[str]:
    """Return the words of a name, without what is between them."""
    return [match[0] for match in WORD.finditer(name)]


def is_name(word: str) -> bool:
    """Return whether a word of somebody's name stands for them: one of three letters, written large if it can be."""
    if word.lower() == word.upper():
        return len(word) > 1 and not word.isdigit()
    return len(word) >= SHORTEST and word[0].isupper()


def unaccented(word: str) -> str:
    """Return a word without marks on its letters."""
    apart = unicodedata.normalize("NFD", word)
    bare = "".join(one for one in apart if not unicodedata.combining(one))
    return unicodedata.normalize("NFC", bare) if apart != word else word
