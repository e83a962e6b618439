"""Find secrets in a plain text: by their form, by what names them, and by how random they look."""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import pairwise

from assistant.redacting.names import POD

Span = tuple[int, int]

# Forms that issuers document, and a few that many tools share.
FORMS = re.compile(
    r"gh[pousr]_\w{16,}|github_pat_\w{16,}|gl[a-z]{1,6}-[\w=.-]{16,}"
    r"|(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|ANPA)[A-Z0-9]{12,}"
    r"|AIza[\w-]{20,}|ya29\.[\w.-]{10,}|GOCSPX-[\w-]{10,}|1//0[\w-]{20,}"
    r"|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|xwfp-[\w-]{8,}"
    r"|(?:sk|rk|pk)_(?:live|test)_\w{8,}|whsec_[\w+/=]{8,}|sq0[a-z]{3}-[\w-]{16,}"
    r"|\b(?:AC|SK|AP|MG)[0-9a-f]{32}|SG\.[\w-]{10,}(?:\.[\w-]{10,})?|key-[0-9a-f]{32}"
    r"|npm_\w{16,}|pypi-[\w-]{16,}|dckr_pat_[\w-]{16,}|hf_\w{16,}|gsk_\w{16,}|xai-\w{16,}|glsa_\w{16,}|glc_\w{16,}"
    r"|\bsk-[\w-]{16,}|hv[sbr]\.[\w-]{16,}|\bs\.[A-Za-z0-9]{24}|do[opr]_v1_\w{16,}|shp(?:at|ca|pa|ss)_\w{16,}"
    r"|PMAK-[\w-]{16,}|AT(?:ATT|BB|CTT)\w[\w=-]{14,}|lin_api_\w{16,}|figd_[\w-]{16,}|AGE-SECRET-KEY-1\w{16,}"
    r"|(?<![\w/+])(?=[a-z0-9/+]*[A-Z])(?=[A-Z0-9/+]*[a-z])[A-Za-z0-9/+]{40}(?![\w/+])"
    r"|[\w~.-]{3}\dQ~[\w~.-]{20,}|\b\d{8,10}:[\w-]{30,}|NRAK-\w{16,}|dp\.[a-z]{2}\.\w{16,}|ey[IJ][\w-]{6,}={0,2}(?:\.[\w-]*={0,2}){0,4}"
    r"|\b[A-Za-z]{2,10}[_-](?:live|test|prod|pat|key|secret|token)[_-]\w{8,}",
)
PEM = re.compile(r"-{3,5}\s*BEGIN[ A-Z0-9]{0,40}-{3,5}.*?(?:-{3,5}\s*END[ A-Z0-9]{0,40}-{3,5}|\Z)", re.DOTALL)
HOOKS = re.compile(
    r"(?:hooks\.slack(?:-gov)?\.com/|discord(?:app)?\.com/api/webhooks/|(?<![\w.-])[\w.-]*webhook\.office\.com/"
    r"|(?<![\w.-])[\w.-]*\.logic\.azure\.com|api\.telegram\.org/bot|events\.pagerduty\.com/integration/)[^\s\"'<>]*"
)
CREDENTIALS = re.compile(
    r"(?<=://)[^\s\"'<>]{1,400}(?=@)|(?<![\w.-])[\w.-]+:[^\s:@/\"']{3,200}(?=@[\w.-])|\b\w+/[^\s@/\"']{3,200}(?=@[\w.-])"
)
KEY_LABELS = (
    r"secret|token|api[\s_.-]?key|apikey|access[\s_.-]?key|private[\s_.-]?key|account[\s_.-]?key|shared[\s_.-]?key"
    r"|encryption[\s_.-]?key|signing[\s_.-]?key|master[\s_.-]?key|license[\s_.-]?key|ssh[\s_.-]?key|sharedaccesskey"
    r"|credential|\bcreds?\b|session|\bpsk\b|community|security[\s_.-]?(?:question|answer)|\bsid\b|\bjwt\b|signature|\bsig\b|bearer|\bdsn\b|nonce|salt|\botp\b|\bmfa\b|\btotp\b"
    r"|schlüssel|clave|トークン|秘密|令牌|токен"
)
OTHER_SCRIPTS = (
    r"パスワード|暗証番号|密码|密碼|口令|пароль|비밀번호|암호|كلمة[ ]?(?:المرور|السر)|पासवर्ड|κωδικός|סיסמ[הא]|รหัสผ่าน"
)
PHRASE_LABELS = (
    r"(?:bind|root)pw|hasło|şifre|parola|heslo|lösenord|passord|adgangskode|salasana|jelszó|mật khẩu|kata sandi"
    r"|pass(?:w(?:or)?d|phrase|code|wort)?|pwd|psw|\bpw\b|\bpin\b|kennwort|mot de passe|contraseña|contrasena|senha"
    r"|wachtwoord|p[\W_]a[\W_]s[\W_]s[\W_]w[\W_]o[\W_]r[\W_]d|" + OTHER_SCRIPTS
)
LINE_LABELS = r"authori[sz]ation|cookie2?|connection[\s_.-]?string|x-auth[\w-]*|www-authenticate"
SEPARATOR = r"[\"'\\\]\)*]*[ \t]*(?:=>|-+>|→|:=|==?|[:>はが是为為]|\b(?:is|was|ist|lautet|est|es|è|é|är|er|jest|je)\b)"
LINE_SEPARATOR = SEPARATOR.replace("==?", r"==?(?=\s)")
QUOTED = r"\\?(?P<q>[\"'`])(?:\\[\s\S]|(?!(?P=q))[\s\S]){0,2000}(?P=q)?"
BLOCK = r"[|>][-+0-9]*[ \t]*\n(?:[ \t]+[^\s][^\n]*(?:\n|\Z))+"
CONTINUED = r"(?:\\?\n[ \t]+[^\s:=]+(?=[ \t]*(?:\n|\Z)))*"
NAME = r"[\w.-]{0,40}"
WORD_VALUE = rf"(?:{BLOCK}|(?:(?:bearer|basic|token|digest|key)[ \t]+)?(?:{QUOTED}|\\?\n?[^\s\"'`]\S*{CONTINUED}))"
LINE_VALUE = rf"(?:{BLOCK}|{QUOTED}|[^\n]*\\\n[^\n]*|[^\n]+{CONTINUED}|\n[ \t]*[^\n]+)"
LABELLED = (
    re.compile(rf"(?i:(?:{KEY_LABELS}){NAME}{SEPARATOR}\s*(?P<value>{WORD_VALUE}))"),
    re.compile(rf"(?i:(?:{PHRASE_LABELS}){NAME}[\"'\\\]\)]*=(?P<value>(?:{QUOTED}|[^\s\"'`]\S*{CONTINUED})))"),
    re.compile(rf"(?i:(?:{PHRASE_LABELS}){NAME}{LINE_SEPARATOR}[ \t]*(?P<value>{LINE_VALUE}))"),
    re.compile(rf"(?i:(?:{LINE_LABELS}){NAME}{SEPARATOR}[ \t]*(?P<value>{LINE_VALUE}))"),
    re.compile(
        rf"(?i:(?:{PHRASE_LABELS})\b[^\n:=]{{0,30}}?\b(?:is|was|to|now|ist|auf|lautet|est|es)\b(?P<value>[^\n]+))"
    ),
    re.compile(rf"(?i:(?:{PHRASE_LABELS}|{KEY_LABELS}|identified by)[ \t]+(?P<value>{QUOTED}))"),
    re.compile(rf"(?i:(?<![\w-])--?{NAME}?(?:{PHRASE_LABELS}|{KEY_LABELS}){NAME}[ \t=]+(?P<value>{QUOTED}|\S+))"),
    re.compile(r"(?i:\b(?:bearer|basic)[ \t]+(?P<value>[\w.~+/=-]{6,}))"),
    re.compile(r"\s-u[ \t]*(?P<value>[^\s:]+:\S+)"),
    re.compile(rf"(?i:(?:{PHRASE_LABELS}|{KEY_LABELS})[\"'][ \t]*,[ \t]*(?P<value>{QUOTED}))"),
    re.compile(rf"(?:{OTHER_SCRIPTS})[ \t]*[^\s\w]?[ \t]*(?P<value>[!-~]{{4,}})"),
    re.compile(rf"(?i:(?:{PHRASE_LABELS})\t+(?P<value>\S+))"),
    re.compile(r"(?i:\b(?:password|secret|key)[ ]\d{1,2}[ ](?P<value>\S+))"),
    re.compile(r"(?i:\blogin[ ]\S+[ ]password[ ](?P<value>\S+))"),
    re.compile(r"(?i:\blogin[ ]\w+:(?P<value>[^\s/]\S+))"),
    re.compile(
        r"(?i:\b(?:\w+-server key|bindpw|wpa_passphrase[ ]\S+|add_user[ ]\S+|change_password[ ]\S+)[ ]+(?P<value>\S+))"
    ),
    re.compile(rf"(?i:-securestring[ ]+(?P<value>{QUOTED}))"),
    re.compile(r"\becho[ ]+(?P<value>[^|\n]+)\|[ ]*sudo[ ]+-S"),
    re.compile(r"\bhtpasswd[ ]+-\w*b\w*[ ]+\S+[ ]+\S+[ ]+(?P<value>\S+)"),
    re.compile(r"\b(?:sqlcmd|ipmitool|zip|unzip|smbclient|bcp)\b[^\n]{0,200}?\s-P[ \t]*(?P<value>\S+)"),
    re.compile(r"\b(?:7z\w*|docker login|podman login|rabbitmqadmin|mongo\w*)\b[^\n]{0,200}?\s-p[ \t]*(?P<value>\S+)"),
    re.compile(r"\bldap\w+\b[^\n]{0,200}?\s-w[ \t]*(?P<value>\S+)"),
    *(re.compile(rf"\bsnmp\w*\b[^\n]{{0,200}}?\s-{flag}[ \t]*(?P<value>\S+)") for flag in "AX"),
    re.compile(r"\b(?:sshpass|mysql\w*|mariadb\w*|redis-cli)\b[^\n]*?\s-[pa][ \t]*(?P<value>\S+)"),
)
# What stands near one of these, and looks chosen by somebody, is taken for what it names.
NEAR = re.compile(
    r"(?i:password|passwort|passphrase|passwd|\bpass\b|pwd|\bpw\b|kennwort|\bcred(?:ential)?s?\b|\blogin\b|\bpsk\b"
    r"|community|requirepass|masterauth|identified by|securestring|\bauth\b|\bsecret\b|\btoken\b|\bapi[ _-]?key\b"
    r"|/user:|\bsshpass\b)"
)
AFTER, BEFORE = 80, 60  # characters on the same line
CHOSEN = re.compile(
    r"(?<![\w.-])(?=[^\s\"'`,;()\[\]{}<>|=]{0,64}[A-Za-z])(?=[^\s\"'`,;()\[\]{}<>|=]{0,64}[\d!@#$%^&*?])[^\s\"'`,;()\[\]{}<>|=]{5,64}"
)
MACHINE = re.compile(
    r"(?i:[a-z][a-z0-9]*(?:-[a-z0-9]+)*-\d{1,5}|[\w-]+(?:\.[\w-]+)+|v?[\d.:]+[a-z]{0,2}|\S+:\d{2,5}|.*[/@]\S+)[.:?!]?"
)
CODE = re.compile(
    r"(?i:\b(?:otp|pin|tan|2fa|mfa|totp|passcode|code)\b[^\d\n]{0,20}|(?<![\w.]))(\d{6,8})(?![\w.])(?i:[^\n]{0,30}\bcode\b)?"
)
PGPASS = re.compile(r"(?m)^[^:\s]+:(?:\d+|\*):[^:\s]+:[^:\s]+:(\S+)$")
ACCOUNT = re.compile(r"(?i:\b(?:admin|root|sa|postgres|administrator|user|guest)[ ]?[/:][ ]?)(?!/)([^\s/:]{3,})")
RANDOM = (re.compile(r"[A-Za-z0-9_~-]{16,}"), re.compile(r"[A-Za-z0-9+/]{16,}"))
RUN = re.compile(r"[\w+/~.-]+=*")
BASE32 = re.compile(r"(?<![\w=])[A-Z2-7]{16,}={0,6}(?![\w=])")
ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{8,}={0,2}(?![\w+/=-])")
HEX_PAIRS = re.compile(r"(?<!\w)(?:0x)?[0-9A-Fa-f]{2}(?:[ :]?[0-9A-Fa-f]{2}){7,}(?!\w)")
STRONG = re.compile(r"(?<!\S)(?=\S*[!@#$%^&*?])(?=\S*\d)(?=\S*[a-z])(?=\S*[A-Z])[\w!@#$%^&*?.+-]{8,64}(?!\S)")
CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
BREAK = re.compile(r"(?<=[\w+/=.~-])[ \t]*\\?(?:\n|\\n)[ \t>|*#\"'+]*(?=[\w+/=.~-])")
DIGITS = re.compile(r"(?<![^\W_.])(?<!\.)(?:\d(?:[ -]?\d){12,18}|\d{4}(?:\.\d{4}){3})(?![\w.])")
IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}\b")
EMPTY = frozenset({"", "none", "null", "true", "false", "nil", "undefined"})


def secrets_in(text: str) -> Iterator[Span]:
    """Yield where secrets are."""
    for pattern in (PEM, FORMS, HOOKS, CREDENTIALS, STRONG):
        yield from (match.span() for match in pattern.finditer(text))
    yield from _labelled(text)
    yield from _near_labels(text)
    yield from (match.span(1) for pattern in (PGPASS, ACCOUNT) for match in pattern.finditer(text))
    yield from (match.span(1) for match in CODE.finditer(text) if not match[0].isdigit())
    yield from _random_runs(text)
    yield from (match.span() for match in BASE32.finditer(text) if _is_base32(match[0]))
    yield from (match.span() for match in ENCODED.finditer(text) if _is_readable(match[0]))
    yield from (match.span() for match in HEX_PAIRS.finditer(text) if _is_hex(match[0]))
    yield from (match.span() for match in DIGITS.finditer(text) if _is_card(match[0]))
    yield from (match.span() for match in IBAN.finditer(text) if _is_iban(match[0]))
    yield from _wrapped(text)


def _labelled(text: str) -> Iterator[Span]:
    for pattern in LABELLED:
        for match in pattern.finditer(text):
            start, end = match.span("value")
            value = text[start:end]
            if value.strip(" \t\n\"'`,;").lower() not in EMPTY:
                yield start + len(value) - len(value.lstrip()), start + len(value.rstrip())


def _near_labels(text: str) -> Iterator[Span]:
    for label in NEAR.finditer(text):
        start = max(text.rfind("\n", 0, label.start()) + 1, label.start() - BEFORE)
        end = min(len(text) if (at := text.find("\n", label.end())) < 0 else at, label.end() + AFTER)
        for match in [*CHOSEN.finditer(text, start, label.start()), *CHOSEN.finditer(text, label.end(), end)]:
            if not MACHINE.fullmatch(match[0]):
                yield match.span()


def _random_runs(text: str) -> Iterator[Span]:
    """Yield whole words that hold something random, to the next blank, bracket or quotation mark."""
    for run in RUN.finditer(text) if len(text) >= 16 else ():
        if any(is_random(found) for pattern in RANDOM for found in pattern.findall(run[0])) and not POD.fullmatch(
            run[0]
        ):
            yield run.span()


def is_random(word: str) -> bool:
    """Return whether a word looks made by a generator rather than by people."""
    is_path, word = "/" in word, "".join(filter(str.isalnum, word))
    digits = sum(map(str.isdigit, word))
    letters = len(word) - digits
    if len(word) < 16 or not letters or (is_path and word.lower() == word):
        return False
    if re.fullmatch(r"[0-9a-fA-F]+", word) and digits:
        return True
    if len(word) >= 36 and word.lower() != word != word.upper() and not is_path:
        return True
    words = CAMEL.findall(word)
    if len(words) > 1 and letters / len(words) < 3.2:
        return True
    turns = sum(one != other for one, other in pairwise(map(_kind, word)))
    return digits >= 2 and turns * 6 >= len(word) and len(set(word)) >= 8


def _kind(one: str) -> str:
    return "digit" if one.isdigit() else "upper" if one.isupper() else "lower" if one.islower() else "other"


def _is_readable(word: str) -> bool:
    """Return whether it is Base64 of printable text."""
    bare = word.rstrip("=").replace("-", "+").replace("_", "/")
    if bare.isdigit() or len(bare) % 4 == 1:
        return False
    try:
        decoded = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(decoded) >= 6 and all(0x20 <= one < 0x7F or one in (9, 10, 13) for one in decoded)


def _is_base32(word: str) -> bool:
    bare = word.rstrip("=")
    decoded = base64.b32decode(bare[: len(bare) // 8 * 8])
    return all(0x20 <= one < 0x7F or one in (9, 10, 13) for one in decoded)


def _is_hex(word: str) -> bool:
    """Return whether it is a dump of printable text, or too long for a number."""
    digits = re.sub(r"[ :]|^0x", "", word)
    if digits.isdigit() and len(digits) < 24:
        return False
    return len(digits) >= 24 or all(0x20 <= one < 0x7F for one in bytes.fromhex(digits))


def _is_card(text: str) -> bool:
    """Return whether digits pass Luhn's check."""
    digits = [int(one) for one in text if one.isdigit()][::-1]
    doubled = (2 * one - 9 * (one > 4) for one in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Return whether it passes ISO 13616's check, perhaps with words after it."""
    words = text.split(" ")
    found = ["".join(words[:count]) for count in range(1, len(words) + 1)]
    return any(
        15 <= len(one) <= 34 and int("".join(str(int(c, 36)) for c in one[4:] + one[:4])) % 97 == 1 for one in found
    )


def _wrapped(text: str) -> Iterator[Span]:
    """Yield secrets that lines break."""
    breaks = [match.span() for match in BREAK.finditer(text)]
    if not breaks:
        return
    places: list[int] = []
    joined, at = [], 0
    for start, end in [*breaks, (len(text), len(text))]:
        places += range(at, start)
        joined.append(text[at:start])
        at = end
    line = "".join(joined)
    forms = [match.span() for match in FORMS.finditer(line)]
    for place, (first, last) in enumerate([*forms, *_random_runs(line)]):
        start, end = places[first], places[last - 1] + 1
        inner = [one for one in breaks if start < one[0] < end]
        if inner and (place < len(forms) or _is_made_at(text, inner)):
            yield start, end


def _is_made_at(text: str, breaks: list[Span]) -> bool:
    """Return whether what breaks divide looks made: on both sides of each, or where a whole line is one word."""
    if any(RUN.fullmatch(text[end : after[0]]) for (_start, end), after in pairwise(breaks)):
        return True
    return all(
        _is_made(RUN.findall(text[max(0, start - 200) : start])[-1]) and _is_made(RUN.findall(text[end : end + 200])[0])
        for start, end in breaks
    )


def _is_made(word: str) -> bool:
    words = CAMEL.findall(word)
    return len(word) >= 2 and (any(map(str.isdigit, word)) or (len(words) > 1 and len(word) / len(words) < 2.6))
