"""Providers of one channel, in an order: when one fails, the next one sends."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from notifications.channels.port import Address, Failed, Message, Receipt

MOST_DETAIL = 300


@dataclass(frozen=True)
class Provider:
    """One way to send."""

    name: str
    send: Callable[[Message, Address], Receipt]
    why_unusable: Callable[[], str]


class Providers:
    """Sends through the first provider that takes the message."""

    def __init__(self, setting: str, order: Callable[[], Sequence[str]], known: Iterable[Provider]) -> None:
        self._setting = setting
        self._order = order
        self._known = {provider.name: provider for provider in known}

    def names(self) -> list[str]:
        """Return the usable providers' names, in order."""
        return [provider.name for provider in self._usable()]

    def why_unusable(self) -> str:
        """Return what keeps all of them from sending, or ""."""
        if unknown := [name for name in self._order() if name not in self._known]:
            return f"{self._setting} names {', '.join(unknown)}, which is none of {', '.join(self._known)}."
        if self._usable():
            return ""
        reasons = [self._known[name].why_unusable() for name in self._order()]
        return " Or: ".join(reasons) or f"{self._setting} names no provider."

    def send(self, message: Message, to: Address) -> Receipt:
        """Send by the provider tried least, then by the next ones. Raises Failed."""
        candidates = sorted(self._usable(), key=lambda provider: message.tried.count(provider.name))
        failures: list[Failed] = []
        for provider in candidates:
            try:
                receipt = provider.send(message, to)
            except Failed as failure:
                failure.provider = provider.name
                failures.append(failure)
                if failure.disables:
                    break  # the number itself is at fault
            else:
                detail = "; ".join([*map(_explain, failures), receipt.detail])
                return replace(receipt, provider=provider.name, detail=detail.strip("; ")[:MOST_DETAIL])
        raise _joined(failures) if failures else Failed(self.why_unusable(), is_permanent=True)

    def _usable(self) -> list[Provider]:
        named = (self._known[name] for name in dict.fromkeys(self._order()) if name in self._known)
        return [provider for provider in named if not provider.why_unusable()]


def _joined(failures: Sequence[Failed]) -> Failed:
    waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
    return Failed(
        "; ".join(map(_explain, failures))[:MOST_DETAIL],
        is_permanent=all(failure.is_permanent for failure in failures),
        retry_after=min(waits, default=None),
        disables=failures[-1].disables,
        provider=failures[-1].provider,
        may_have_arrived=any(failure.may_have_arrived for failure in failures),
    )


def _explain(failure: Failed) -> str:
    return f"{failure.provider}: {failure.detail}"
