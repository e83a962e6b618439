"""What people type in a chat. Pure."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.text.sentences import Sentence, shown

HELP = "help"
NO_COMMAND = Sentence("There is no command “%(word)s”.")
WHICH = Sentence("Which incident? For example: %(word)s INC-1042.")
ADD_NOTE = Sentence("Add the note: %(word)s %(incident)s what you found.")
WORDS = {
    **dict.fromkeys(("mine", "list", "my"), "mine"),
    **dict.fromkeys(("show", "status"), "show"),
    **dict.fromkeys(("ack", "acknowledge"), "acknowledge"),
    **dict.fromkeys(("resolve", "close"), "resolve"),
    **dict.fromkeys(("take", "assign"), "take"),
    **dict.fromkeys(("note", "comment"), "note"),
    **dict.fromkeys(("oncall", "on-call", "who"), "oncall"),
    **dict.fromkeys(("link", "start"), "link"),
    HELP: HELP,
}
ON_INCIDENT = frozenset({"show", "acknowledge", "resolve", "take", "note"})
MOST = 3000
_NUMBER = re.compile(r"(?:inc-?)?#?(\d{1,18})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Command:
    """`complaint` says what was not understood; `text` is what follows."""

    action: str
    number: int | None = None
    text: str = ""
    complaint: str = ""


def parse(text: str) -> Command:
    """Return what a text asks for; help for whatever is not understood."""
    word, _blank, rest = " ".join(text.split())[:MOST].partition(" ")
    if not word:
        return Command(HELP)
    action = WORDS.get(word.lower())
    if action is None and _NUMBER.fullmatch(word):
        action, rest = "show", f"{word} {rest}".strip()
    if action is None:
        return Command(HELP, complaint=NO_COMMAND.say(word=word[:40]))
    if action not in ON_INCIDENT:
        return Command(action, text=rest.removeprefix("is on call").strip() if action == "oncall" else rest)
    match = _NUMBER.match(rest)
    if match is None:
        return Command(HELP, complaint=WHICH.say(word=word.lower()))
    note = rest[match.end() :].strip()
    if action == "note" and not note:
        return Command(HELP, complaint=ADD_NOTE.say(word=word.lower(), incident=f"INC-{match[1]}"))
    return Command(action, int(match[1]), note)


def help_lines(prefix: str, complaint: str = "") -> list[str]:
    """Return the commands; `prefix` is what a chat puts before each."""
    known = [
        _("%(command)s — your open incidents") % {"command": f"{prefix}mine"},
        f"{prefix}show INC-1042",
        f"{prefix}ack INC-1042 · {prefix}take INC-1042 · {prefix}resolve INC-1042",
        _("%(command)s what you found") % {"command": f"{prefix}note INC-1042"},
        _("%(command)s — who is on call now") % {"command": f"{prefix}oncall"},
        _("%(command)s — link this account to yours here") % {"command": f"{prefix}link CODE"},
        f"{prefix}help",
    ]
    return [shown(complaint), *known] if complaint else known
