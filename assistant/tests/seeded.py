"""Texts as incidents, alerts and log lines hold them, each with a secret that is known; and who looks for it."""

import base64
import html
import json
import random
import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

WORD = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
NAMES = ("password", "db_password", "SECRET_KEY", "api-key", "accessToken", "client_secret", "PGPASSWORD", "x-api-key")
LOOKS = str.maketrans("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")


@dataclass(frozen=True)
class Seeded:
    form: str
    text: str
    secret: str
    is_short: bool = False


def some(chance: random.Random, letters: str, count: int) -> str:
    """Random letters; a letter and a digit are among them."""
    while True:
        found = "".join(chance.choices(letters, k=count))
        if len(letters) <= 10 or (any(map(str.isdigit, found)) and any(map(str.isalpha, found))):
            return found


def weak_password(chance: random.Random) -> str:
    """What people choose: a word and a number, perhaps a mark."""
    word = chance.choice(("Sommer", "hunter", "Dragon", "letmein", "Zuerich", "winter", "Passw0rd", "qwertz", "monkey"))
    return f"{word}{chance.randint(2, 9999)}{chance.choice(('', '!', '#', '$$', '?x'))}"


BARE: dict[str, Callable[[random.Random], str]] = {
    "github": lambda r: f"gh{r.choice('pousr')}_{some(r, WORD, 36)}",
    "github fine": lambda r: f"github_pat_{some(r, WORD, 22)}_{some(r, WORD, 59)}",
    "gitlab": lambda r: f"glpat-{some(r, WORD + '-_', 20)}",
    "aws id": lambda r: f"{r.choice(('AKIA', 'ASIA'))}{some(r, UPPER, 16)}",
    "aws secret": lambda r: some(r, WORD + "+/", 40),
    "gcp key": lambda r: f"AIza{some(r, WORD + '-_', 35)}",
    "gcp oauth": lambda r: f"ya29.{some(r, WORD + '-_', 60)}",
    "azure": lambda r: f"{some(r, WORD, 3)}8Q~{some(r, WORD + '.~_-', 34)}",
    "azure storage": lambda r: base64.b64encode(r.randbytes(64)).decode(),
    "slack bot": lambda r: f"xoxb-{some(r, string.digits, 12)}-{some(r, string.digits, 12)}-{some(r, WORD, 24)}",
    "slack hook": lambda r: (
        f"https://hooks.slack.com/services/T{some(r, UPPER, 8)}/B{some(r, UPPER, 8)}/{some(r, WORD, 24)}"
    ),
    "stripe": lambda r: f"{r.choice(('sk', 'rk'))}_live_{some(r, WORD, 24)}",
    "twilio": lambda r: f"SK{some(r, HEX, 32)}",
    "sendgrid": lambda r: f"SG.{some(r, WORD + '-_', 22)}.{some(r, WORD + '-_', 43)}",
    "npm": lambda r: f"npm_{some(r, WORD, 36)}",
    "pypi": lambda r: f"pypi-{some(r, WORD + '-_', 80)}",
    "openai": lambda r: f"sk-proj-{some(r, WORD + '-_', 48)}",
    "anthropic": lambda r: f"sk-ant-api03-{some(r, WORD + '-_', 90)}",
    "vault": lambda r: f"hvs.{some(r, WORD, 24)}",
    "jwt": lambda r: ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (b'{"alg":"HS256"}', json.dumps({"sub": some(r, WORD, 12)}).encode(), r.randbytes(32))
    ),
    "hex": lambda r: some(r, HEX, 40),
    "uuid": lambda r: "-".join(some(r, HEX, n) for n in (8, 4, 4, 4, 12)),
    "telegram": lambda r: f"{r.randint(10**8, 10**9)}:{some(r, WORD + '-_', 35)}",
    "card": lambda r: card(r),
    "iban": lambda r: iban(r),
}
LABELLED: dict[str, Callable[[str, str], str]] = {
    "env": lambda name, s: f"HOME=/root\n{name.upper()}={s}\nPATH=/usr/bin",
    "env quoted": lambda name, s: f'export {name}="{s}"',
    "yaml": lambda name, s: f"spring:\n  datasource:\n    {name}: {s}\n    pool: 5",
    "yaml quoted": lambda name, s: f"{name}: '{s}'\nport: 5432",
    "yaml block": lambda name, s: f"data:\n  {name}: |-\n    {s}\n  next: 1",
    "json": lambda name, s: json.dumps({"level": "error", name: s, "n": 3}),
    "json in json": lambda name, s: json.dumps({"msg": json.dumps({name: s})}),
    "logfmt": lambda name, s: f'level=error msg="login failed" {name}={s} user=bob',
    "url query": lambda name, s: f"GET /v1/orders?{name}={quote(s, safe='')}&page=2 500",
    "xml": lambda name, s: f"<conf><{name}>{html.escape(s)}</{name}></conf>",
    "toml": lambda name, s: f'[db]\n{name} = "{s}"',
    "python": lambda name, s: f"connect(host='x', {name}='{s}')",
    "ruby": lambda name, s: f'{{:{name} => "{s}"}}',
    "flag": lambda name, s: f"run --{name} {s} --verbose",
    "header": lambda name, s: f"> Authorization: Bearer {s}\n< HTTP/1.1 500",
    "basic": lambda name, s: f"Authorization: Basic {base64.b64encode(f'admin:{s}'.encode()).decode()}",
    "cookie": lambda name, s: f"Set-Cookie: session={s}; Path=/; HttpOnly",
    "prose": lambda name, s: f"I logged in, the password is {s}",
    "prose reset": lambda name, s: f"Bob: password for the replica was reset to {s}",
    "german": lambda name, s: f"Das Passwort lautet {s}",
    "next line": lambda name, s: f"{name}:\n  {s}\n\nthanks",
    "backslash": lambda name, s: f"{name}=\\\n  {s}",
    "dsn": lambda name, s: f"postgres://app:{s}@10.2.3.4:5432/orders refused",
    "dsn encoded": lambda name, s: f"mysql://app:{quote(s, safe='')}@db.prod.internal/x",
    "azure string": lambda name, s: (
        f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={s};EndpointSuffix=core"
    ),
    "curl": lambda name, s: f"curl -u deploy:{s} https://ci.acme.example/job",
    "mysql": lambda name, s: f"mysql -h db-3 -p{s} orders",
    "sql": lambda name, s: f"ALTER USER app IDENTIFIED BY '{s}'",
}
ENCODED: dict[str, Callable[[str], str]] = {
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "base64 of env": lambda s: base64.b64encode(f"password={s}\n".encode()).decode(),
    "base32": lambda s: base64.b32encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "percent": lambda s: "".join(f"%{one:02X}" for one in s.encode()),
    "percent twice": lambda s: "".join(f"%25{one:02X}" for one in s.encode()),
    "unicode escapes": lambda s: "".join(f"\\u{ord(one):04x}" for one in s),
    "byte escapes": lambda s: "".join(f"\\x{one:02x}" for one in s.encode()),
    "entities": lambda s: "".join(f"&#{ord(one)};" for one in s),
    "hex entities": lambda s: "".join(f"&#x{ord(one):x};" for one in s),
    "quoted-printable": lambda s: "".join(f"={one:02X}" for one in s.encode()),
    "utf-16": lambda s: "".join(f"{one}\\x00" for one in s),
    "zero width": lambda s: "\u200b".join(s),
    "joiners": lambda s: "".join(f"{one}\u2060" for one in s),
    "soft hyphens": lambda s: "\u00ad".join(s),
    "wide": lambda s: "".join(chr(ord(one) + 0xFEE0) if 0x21 <= ord(one) < 0x7F else one for one in s),
    "mathematical": lambda s: "".join(
        chr(0x1D41A + ord(one) - 97) if one in string.ascii_lowercase else one for one in s
    ),
    "look-alikes": lambda s: s.translate(LOOKS),
    "combining": lambda s: "".join(f"{one}\u0332" for one in s),
    "wrapped": lambda s: "\n".join(s[at : at + 12] for at in range(0, len(s), 12)),
    "wrapped quoted": lambda s: "\n> ".join(s[at : at + 16] for at in range(0, len(s), 16)),
    "wrapped by backslash": lambda s: "\\\n    ".join(s[at : at + 14] for at in range(0, len(s), 14)),
    "wrapped escaped": lambda s: "\\n".join(s[at : at + 20] for at in range(0, len(s), 20)),
}
PROSE = (
    "Checkout fails since the deploy: {}",
    "2026-03-02T10:00:01Z ERROR payments worker died near {} after 3 tries",
    "see {} please",
    "Customer wrote:\n{}\nand left",
    "[{}] retry",
)
# Of these only what can stand alone without a label is asked: nobody can tell a word that people chose from others.
ALONE = [name for name in BARE if name not in ("card", "iban", "slack hook", "telegram")]


def card(chance: random.Random) -> str:
    digits = [4, *(chance.randint(0, 9) for _ in range(14))]
    total = sum(sum(divmod(2 * one, 10)) if place % 2 == 0 else one for place, one in enumerate(digits))
    text = "".join(map(str, [*digits, -total % 10]))
    return chance.choice((text, " ".join(text[at : at + 4] for at in range(0, 16, 4))))


def iban(chance: random.Random) -> str:
    account = some(chance, string.digits, 18)
    return f"DE{98 - int(f'{account}131400') % 97:02d}{account}"


def pem(chance: random.Random) -> tuple[str, str]:
    body = base64.b64encode(chance.randbytes(300)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    kind = chance.choice(("RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY"))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----", body


def texts(seed: int = 1) -> Iterator[Seeded]:
    """Every form, label and encoding at least once, with random secrets."""
    chance = random.Random(seed)
    for form, make in BARE.items():
        for template in chance.sample(PROSE, 2):
            secret = make(chance)
            yield Seeded(form, template.format(secret), secret)
    for label, wrap in LABELLED.items():
        for secret, kind in ((weak_password(chance), "weak"), (some(chance, WORD + "+/!%", 24), "strong")):
            if label in ("header", "url query", "flag", "curl") or kind == "weak" or "%" not in secret:
                yield Seeded(f"{label} {kind}", wrap(chance.choice(NAMES), secret), secret)
    for encoding, encode in ENCODED.items():
        for form in chance.sample(ALONE, 3):
            secret = BARE[form](chance)
            yield Seeded(f"{form} as {encoding}", chance.choice(PROSE).format(encode(secret)), secret)
        secret = weak_password(chance)
        yield Seeded(f"labelled {encoding}", f"password: {encode(secret)}", secret)
        yield Seeded(f"labelled = {encoding}", f"level=info {chance.choice(NAMES)}={encode(secret)} n=3", secret)
    for _number in range(4):
        text, body = pem(chance)
        yield Seeded("pem", f"key:\n{text}\ndone", body)
        yield Seeded("gcp json", json.dumps({"type": "service_account", "private_key": text, "n": 1}), body)
        yield Seeded("pem cut", f"{text[:200]}", body[:120])
    secret = weak_password(chance)
    yield Seeded(
        "elsewhere",
        f"PGPASSWORD={secret}\nthen psql said: role {secret} unknown, {base64.b64encode(secret.encode()).decode()}",
        secret,
    )


def traces_of(secret: str, sent: str) -> list[str]:
    """What of a secret is in what was sent, however it is written."""
    bare = _bare(secret).lower()
    wanted = {bare[at : at + 10] for at in range(len(bare) - 9)} if len(bare) > 14 else {bare}
    return [f"{name}: {one}" for name, view in _views_of(sent).items() for one in wanted if one in view]


@lru_cache(maxsize=4)
def _views_of(sent: str) -> dict[str, str]:
    """What was sent as people and programs may read it."""
    views = {"plain": _bare(sent), "reversed": _bare(sent)[::-1]}
    decoded, all_decoded = sent, []
    for _round in range(4):
        decoded = _decode(decoded)
        all_decoded.append(_bare(decoded))
    views["decoded"] = "\n".join(all_decoded)
    words = _candidates(_joined(sent), _joined(decoded))
    views["words"] = "\n".join(_bare(read) for word in words for read in _words(word))
    return {name: view.lower() for name, view in views.items()}


def _candidates(*views: str) -> set[str]:
    letters = (r"[\w+/=-]{8,}", r"[A-Za-z0-9+/]{8,}", r"[A-Za-z0-9_-]{8,}", r"[0-9A-Fa-f]{16,}", r"[A-Z2-7]{16,}")
    return {word for text in views for pattern in letters for word in re.findall(pattern, text)}


def _joined(text: str) -> str:
    return re.sub(r"\\?(?:\n|\\n)[\s>]*", "", text)


def _bare(text: str) -> str:
    """Letters as they look, without what is between them."""
    text = unicodedata.normalize("NFKC", text).translate(
        {ord(b): a for a, b in zip("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ", strict=True)}
    )
    kept = "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one)[0] not in "CMZ")
    return re.sub(r"(?:\\+[nrx]0*)|[\\>\s\"]", "", kept)


def _decode(text: str) -> str:
    text = re.sub(
        r"(?:%[0-9A-Fa-f]{2})+", lambda m: bytes.fromhex(m[0].replace("%", "")).decode(errors="replace"), text
    )
    text = re.sub(r"(?:=[0-9A-F]{2})+", lambda m: bytes.fromhex(m[0].replace("=", "")).decode(errors="replace"), text)
    text = re.sub(r"\\+(?:u|x|u00)([0-9A-Fa-f]{2,4})", lambda m: chr(int(m[1], 16)), text)
    return html.unescape(text)


def _words(word: str) -> Iterator[str]:
    ways: tuple[tuple[Callable[[str], bytes], int], ...] = (
        (base64.b64decode, 4),
        (base64.urlsafe_b64decode, 4),
        (base64.b32decode, 8),
        (bytes.fromhex, 1),
    )
    whole = word.rstrip("=")
    for piece in (*(whole[lead:] for lead in range(4)), whole[:-1]):
        for decode, width in ways:
            try:
                data = decode(piece + "=" * (-len(piece) % width))
            except ValueError:
                continue
            yield data.decode("utf-8", "replace")
            yield data.decode("latin-1").replace("\0", "")
