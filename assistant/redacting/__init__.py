"""Replace what must not leave by pseudonyms, and put back what may come back."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from assistant.redacting.names import Words, is_name, names_in, words_of
from assistant.redacting.normalising import folded, plain
from assistant.redacting.secrets import EMPTY, Span, secrets_in

SECRET = "secret"  # noqa: S105 (a kind)
PSEUDONYM = re.compile(r"<([a-z]+-\d+)>")
SHORTEST = 4  # characters of a secret that is looked for everywhere


class Redactor:
    """Pseudonyms of one incident: the same texts in the same order give the same ones.

    `people` are names as they are written, `hosts` names of machines, `keep` names that may leave.
    """

    def __init__(self, *, people: Iterable[str] = (), hosts: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
        full = {plain(name) for name in people}
        parts = {part for name in full for part in words_of(name) if is_name(part)}
        self._people = (Words(full, is_exact=False), Words(parts, is_exact=True))
        self._keep = {name.casefold() for name in keep}
        self._kept = Words(self._keep, is_exact=False)
        machines = {plain(host).casefold() for host in hosts if re.fullmatch(r"[\w.-]{2,100}", plain(host))}
        self._hosts = Words(machines - self._keep, is_exact=False)
        self._secrets: dict[str, None] = {}
        self._spans: dict[str, list[Span]] = {}
        self._given: dict[tuple[str, str], str] = {}
        self._meaning: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Remember the secrets of all texts: one that a label gives away in one is bare in another."""
        for text in texts:
            written = plain(text)
            hosts = self._hosts_in(written)
            for start, end in self._secret_spans(written):
                if _is_within((start, end), hosts, written):
                    continue
                for value in {written[start:end], written[start:end].strip("\"'`,;&) \t")}:
                    if len(value) >= SHORTEST and value.lower() not in EMPTY:
                        self._secrets.update(dict.fromkeys(_forms_of(value)))

    def redact(self, text: str) -> str:
        """Return the text as it may leave; learn its secrets first."""
        self.learn([text])
        written = plain(text)
        pieces, at = [], 0
        for start, end, kind in self._chosen(written):
            pieces += [written[at:start], self._pseudonym(kind, written[start:end])]
            at = end
        return "".join([*pieces, written[at:]])

    def restore(self, text: str) -> str:
        """Return a text with the real names again; secrets keep their pseudonyms."""
        return PSEUDONYM.sub(lambda match: self._meaning.get(match[1], match[0]), text)

    @property
    def names(self) -> Mapping[str, str]:
        """Return what each pseudonym stands for that may be restored."""
        return self._meaning

    def _hosts_in(self, text: str) -> list[tuple[int, int, str]]:
        return [(start, end, "host") for start, end in self._hosts.find(text)]

    def _secret_spans(self, text: str) -> list[Span]:
        """Return where secrets are; each text is searched once."""
        if text not in self._spans:
            alike = folded(text)
            self._spans[text] = [*secrets_in(alike), *(secrets_in(text) if alike != text else ())]
        return self._spans[text]

    def _chosen(self, text: str) -> list[tuple[int, int, str]]:
        """Return what is replaced, in order: secrets swallow what they touch; else who finds it first wins."""
        hosts = self._hosts_in(text)
        secrets = [span for span in self._secret_spans(text) if not _is_within(span, hosts, text)]
        secrets += self._known_secrets(text)
        chosen = _merged(secrets)
        people = [(start, end, "person") for words in self._people for start, end in words.find(text)]
        kept = [span for span in self._kept.find(text) if text[slice(*span)].casefold() in self._keep]
        for start, end, kind in [*names_in(folded(text)), *hosts, *people]:
            if kind in ("host", "person") and any(one[0] <= start and end <= one[1] for one in kept):
                continue
            touching = [one for one in chosen if one[0] < end and start < one[1]]
            if not touching:
                chosen.append((start, end, kind))
            elif kind == "url" and all(start <= one[0] and one[1] <= end for one in touching):
                # an address that holds a secret goes as a whole
                chosen = [one for one in chosen if one not in touching] + [(start, end, SECRET)]
        return sorted(chosen)

    def _known_secrets(self, text: str) -> Iterator[Span]:
        alike = folded(text)
        for secret in self._secrets:
            for where in (text, alike) if alike != text else (text,):
                at = where.find(secret)
                while at >= 0:
                    yield at, at + len(secret)
                    at = where.find(secret, at + len(secret))

    def _pseudonym(self, kind: str, value: str) -> str:
        key = (kind, value if kind == SECRET else value.casefold())
        if key not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            name = f"{kind}-{self._counts[kind]}"
            self._given[key] = f"<{name}>"
            if kind != SECRET:
                self._meaning[name] = value
        return self._given[key]


def _is_within(span: Span, hosts: list[tuple[int, int, str]], text: str) -> bool:
    """Return whether a secret is no more than the name of a known machine, which looks random."""
    return any(start <= span[0] and span[1] <= end and "-" in text[start:end] for start, end, _kind in hosts)


def _merged(spans: Iterable[Span]) -> list[tuple[int, int, str]]:
    merged: list[tuple[int, int, str]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), SECRET)
        elif end > start:
            merged.append((start, end, SECRET))
    return merged


def _forms_of(secret: str) -> list[str]:
    """Return a secret as it may be written elsewhere: in Base64 at each alignment, in hex, in an address."""
    data = secret.encode("utf-8", "replace")
    forms = [secret, folded(secret), data.hex(), data.hex().upper(), quote(secret, safe=""), secret[::-1]]
    for lead in range(3):
        coded = base64.b64encode(b"\0" * lead + data).decode()
        # the first and the last characters depend on the neighbours
        forms += (
            [inner, inner.replace("+", "-").replace("/", "_")]
            if len(inner := coded[lead and lead + 1 :].rstrip("=")[:-1]) >= 8
            else []
        )
    return list(dict.fromkeys(forms))
