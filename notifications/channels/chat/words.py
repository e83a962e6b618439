"""How messages name an incident in every chat."""

from notifications.channels.port import Message

SHAPES = {"critical": "⬢", "high": "▲", "medium": "◆", "low": "○"}
CLOSED = frozenset({"resolved", "closed"})
ELLIPSIS = "…"


def severity_words(message: Message) -> str:
    """Return the shape and word of the severity: no colour is needed to read it."""
    if not message.severity:
        return ""
    shape = SHAPES.get(message.severity, "•")
    return f"{shape} {message.severity.replace('_', ' ').capitalize()}"


def status_words(message: Message) -> str:
    return message.status.replace("_", " ").capitalize()


def heading(message: Message) -> str:
    """Return the reference and title, or how many incidents there are."""
    title = " ".join(message.title.split())
    return f"{message.reference}: {title}" if message.reference and message.reference not in title else title


def summary(message: Message) -> str:
    """Return one line, for the screen of a phone."""
    return " · ".join(part for part in (severity_words(message), heading(message), status_words(message)) if part)


def offers_buttons(message: Message) -> bool:
    """Return whether there is one incident to act on."""
    return bool(message.buttons) and message.incident is not None and message.count == 1


def cut(text: str, most: int) -> str:
    """Return the text in at most so many characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + ELLIPSIS
