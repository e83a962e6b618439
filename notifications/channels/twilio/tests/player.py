"""Plays TwiML as a phone does: hears, presses keys, hangs up; stricter than Twilio about what it does not know."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree import ElementTree

Fetch = Callable[[str, dict[str, str]], str]  # (address, form) → document

# https://www.twilio.com/docs/voice/twiml: the verbs and attributes played here.
VERBS = {
    "Say": {"voice", "language", "loop"},
    "Pause": {"length"},
    "Gather": {"input", "numDigits", "timeout", "action", "method", "actionOnEmptyResult", "finishOnKey", "language"},
    "Redirect": {"method"},
    "Hangup": set(),
}
NESTED = {"Say", "Pause"}
MOST_DOCUMENTS = 20


class TwiMLError(Exception):
    """A document that Twilio would end a call for."""


@dataclass
class Heard:
    """What a call was like."""

    said: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    documents: int = 0


def play(address: str, fetch: Fetch, keys: list[str]) -> Heard:
    """Play a call from its first document; `keys` are pressed one at each question, then none. Raises TwiMLError."""
    heard, waiting = Heard(), list(keys)
    step: tuple[str, dict[str, str]] | None = (address, {})
    while step:
        heard.documents += 1
        if heard.documents > MOST_DOCUMENTS:
            raise TwiMLError("the call never ends")
        step = _play_document(parse(fetch(*step)), step[0], heard, waiting)
    return heard


def parse(document: str) -> ElementTree.Element:
    """Return the Response of a document. Raises TwiMLError."""
    try:
        response = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise TwiMLError(f"no XML: {error}") from error
    if response.tag != "Response":
        raise TwiMLError(f"the document is a {response.tag}")
    return response


def _play_document(
    response: ElementTree.Element, base: str, heard: Heard, waiting: list[str]
) -> tuple[str, dict[str, str]] | None:
    for verb in response:
        _check(verb, VERBS)
        if verb.tag == "Hangup":
            return None
        if verb.tag == "Redirect":
            return urljoin(base, (verb.text or "").strip()), {}
        if verb.tag == "Say":
            _hear(verb, heard)
        if verb.tag == "Gather":
            for nested in verb:
                _check(nested, NESTED)
                if nested.tag == "Say":
                    _hear(nested, heard)
            if waiting:
                key = waiting.pop(0)
                heard.pressed.append(key)
                return urljoin(base, verb.attrib.get("action", base)), {"Digits": key}
            if verb.attrib.get("actionOnEmptyResult") == "true":
                return urljoin(base, verb.attrib.get("action", base)), {}
    return None


def _check(verb: ElementTree.Element, allowed: dict[str, set[str]] | set[str]) -> None:
    if verb.tag not in allowed:
        raise TwiMLError(f"{verb.tag} is no verb here")
    if unknown := set(verb.attrib) - VERBS[verb.tag]:
        raise TwiMLError(f"{verb.tag} has no {', '.join(sorted(unknown))}")
    if verb.tag == "Gather" and not 1 <= int(verb.attrib.get("numDigits", "1")) <= 20:
        raise TwiMLError("numDigits is out of range")
    if verb.attrib.get("method", "POST") not in ("GET", "POST"):
        raise TwiMLError("method is GET or POST")


def _hear(verb: ElementTree.Element, heard: Heard) -> None:
    text = (verb.text or "").strip()
    if not text or len(text) > 4096:
        raise TwiMLError("Say has no text, or too much")
    heard.said.append(text)
    heard.languages.append(verb.attrib.get("language", "en-US"))
