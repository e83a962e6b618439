"""Letters to people without an account: apps register who wrote down their addresses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from notifications.models import Delivery


@dataclass(frozen=True)
class Letter:
    """What one recipient is told, in their language; `origin` is the address at its foot.

    `leave_url` ends the subscription: GET asks, POST does it (RFC 8058).
    """

    address: str
    title: str
    body: str = ""
    lines: Sequence[str] = ()
    url: str = ""
    origin: str = ""
    leave_url: str = ""
    manage_url: str = ""
    language: str = "en"
    time_zone: str = "UTC"


# Returns, by delivery, the letter, or why it must not be sent.
Writer = Callable[[Sequence[Delivery]], Mapping[int, Letter | str]]

_writers: dict[str, Writer] = {}


def register_audience(name: str, writer: Writer) -> None:
    """Have this write the deliveries whose content names the audience."""
    _writers[name] = writer


def letters_of(deliveries: Iterable[Delivery]) -> dict[int, Letter | str]:
    """Return, by delivery, the letters to audiences among these, or why one must not be sent."""
    by_name: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if name := delivery.content.get("audience"):
            by_name.setdefault(name, []).append(delivery)
    found: dict[int, Letter | str] = {}
    for name, group in by_name.items():
        found.update(_writers[name](group))
    return found
