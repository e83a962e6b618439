"""How messages name an incident in every chat."""

from django.utils.translation import gettext as _

from core.severity import SEVERITY_OF_WORD
from incidents.vocabulary import STATUS_OF_WORD
from notifications.channels.port import Button, Message

SHAPES = {"critical": "⬢", "high": "▲", "medium": "◆", "low": "○"}
CLOSED = frozenset({"resolved", "closed"})
ELLIPSIS = "…"


def severity_words(message: Message) -> str:
    """Return shape and word, readable without colour."""
    if not message.severity:
        return ""
    shape = SHAPES.get(message.severity, "•")
    return f"{shape} {severity_label(message.severity)}"


def status_words(message: Message) -> str:
    return status_label(message.status)


def severity_label(word: str) -> str:
    """Return a severity as people read it; a word of somebody else's as it is."""
    return str(SEVERITY_OF_WORD[word].label) if word in SEVERITY_OF_WORD else word.replace("_", " ").capitalize()


def status_label(word: str) -> str:
    return str(STATUS_OF_WORD[word].label) if word in STATUS_OF_WORD else word.replace("_", " ").capitalize()


def heading(message: Message) -> str:
    """Return reference and title."""
    title = " ".join(message.title.split())
    return f"{message.reference}: {title}" if message.reference and message.reference not in title else title


def summary(message: Message) -> str:
    return " · ".join(part for part in (severity_words(message), heading(message), status_words(message)) if part)


def facts(message: Message) -> str:
    count = _("%(count)s incidents") % {"count": message.count} if message.count > 1 else ""
    return " · ".join(part for part in (severity_words(message), status_words(message), count) if part)


def lines_of(message: Message) -> list[str]:
    return [text for line in message.lines if (text := " ".join(line.split()))]


def buttons_of(message: Message) -> list[Button]:
    """Return the buttons that would change something."""
    if message.incident is None or message.count > 1 or message.kind == "notice":
        return [button for button in message.buttons if button.value]
    return _useful(message)


def _useful(message: Message) -> list[Button]:
    useless = {"acknowledge"} if message.status not in ("", "open") else set()
    if message.status in CLOSED:
        useless = {"acknowledge", "take", "resolve"}
    return [button for button in message.buttons if button.action not in useless]


def link_button(message: Message) -> Button | None:
    """Return the button that opens the page to answer many incidents."""
    return message.buttons[0] if message.buttons and message.count > 1 and message.answer_url else None


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + ELLIPSIS
