"""TwiML: what Twilio says and asks during a call, and its answers to SMS.

https://www.twilio.com/docs/voice/twiml
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from notifications.channels.phone.wording import Wording, wording
from notifications.channels.twilio.spoken import Spoken

KEY_SECONDS = 6
MOST_ROUNDS = 3
MOST_SPOKEN = 1_500


def ask(spoken: Spoken, *, action: str, following: str, before: str = "") -> bytes:
    """Say what happened and wait for one key; without one, go on at `following`."""
    words = wording(spoken.language)
    response = Element("Response")
    gather = SubElement(
        response, "Gather", input="dtmf", numDigits="1", timeout=str(KEY_SECONDS), action=action, method="POST"
    )
    _say(gather, words, [before, *_happened(spoken, words), words.keys, words.acknowledged_hint])
    SubElement(response, "Redirect", method="POST").text = following
    return _document(response)


def tell(language: str, *sentences: str) -> bytes:
    """Say something and hang up."""
    response = Element("Response")
    _say(response, wording(language), sentences)
    SubElement(response, "Hangup")
    return _document(response)


def tell_code(spoken: Spoken) -> bytes:
    """Say a message without keys, digits one by one, twice."""
    words = wording(spoken.language)
    response = Element("Response")
    for _ in range(2):
        _say(response, words, [_slowly(spoken.title), _slowly(spoken.body)])
        SubElement(response, "Pause", length="1")
    SubElement(response, "Hangup")
    return _document(response)


def reply(text: str) -> bytes:
    """Answer an SMS; with nothing if the text is empty."""
    response = Element("Response")
    if text:
        SubElement(response, "Message").text = text
    return _document(response)


def _happened(spoken: Spoken, words: Wording) -> list[str]:
    if spoken.count > 1:
        return [words.several, spoken.title, words.all_of_them]
    intro = words.page.format(severity=words.severity(spoken.severity), reference=_slowly(spoken.reference))
    return [intro, spoken.title, spoken.why]


def _slowly(text: str) -> str:
    """Return the text with numbers of four or more digits spelled."""
    words = text.split()
    return " ".join(", ".join(word) if _is_number(word) else _spelled_tail(word) for word in words)


def _is_number(word: str) -> bool:
    return len(word.strip(".,:;")) >= 4 and word.strip(".,:;").isdecimal()


def _spelled_tail(word: str) -> str:
    head, dash, digits = word.rpartition("-")
    return f"{head} {' '.join(digits)}" if dash and digits.isdecimal() else word


def _say(parent: Element, words: Wording, sentences: Sequence[str]) -> None:
    text = " ".join(
        sentence if sentence.endswith((".", "!", "?", "。")) else f"{sentence}." for sentence in sentences if sentence
    )
    SubElement(parent, "Say", language=words.tag, voice=words.voice).text = _sayable(text)[:MOST_SPOKEN]


def _sayable(text: str) -> str:
    return "".join(
        character
        for character in " ".join(text.split())
        if character.isprintable() and not "\ud800" <= character <= "\udfff"
    )


def _document(response: Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>' + tostring(response, encoding="unicode").encode()
