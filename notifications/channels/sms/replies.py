"""What an SMS that came back says: a word, and the code of the page it answers."""

import re
from dataclasses import dataclass

_ACTIONS = {
    **dict.fromkeys(("a", "ack", "acknowledge", "acknowledged"), "acknowledge"),
    **dict.fromkeys(("r", "resolve", "resolved", "done", "fixed"), "resolve"),
    **dict.fromkeys(("t", "take", "mine"), "take"),
    **dict.fromkeys(("n", "note"), "note"),
}
# Carriers and Twilio act on these themselves.
_STOP = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "stopp", "arret"}
_HELP = {"help", "info", "?"}
_CODE = re.compile(r"\d{4,8}")
_WORDS = re.compile(r"\d+|[^\W\d_]+|\?")


@dataclass(frozen=True)
class Reply:
    """`action` is one of those of answers, `stop`, `help`, or "" where no word was understood."""

    action: str
    code: str = ""
    note: str = ""


def parse(text: str) -> Reply:
    """Return what a text asks for: "4271 A", "ack 4271", "a4271", "4271 n restarted the pump", "STOP"."""
    whole = text.strip().strip(".!").lower()
    if whole in _STOP:
        return Reply("stop")
    if whole in _HELP:
        return Reply("help")
    words = list(_WORDS.finditer(text))
    first = next((word for word in words[:2] if _CODE.fullmatch(word[0])), None)
    code = first[0] if first else ""
    rest = [word for word in words if word is not first]
    if not rest:
        return Reply("", code)
    word = rest[0][0].lower()
    action = _ACTIONS.get(word, "")
    if action == "note":
        note = text[rest[1].start() :].strip() if len(rest) > 1 else ""
        return Reply("note" if note else "", code, note)
    # A sentence is no command: "a colleague looks at it" must not acknowledge.
    return Reply(action if len(rest) == 1 or (code and len(word) > 1) else "", code)
