"""Microsoft Teams: rooms, by the webhook of a workflow (Power Automate)."""

import time
from functools import cache
from threading import Lock
from urllib.parse import urlsplit

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.outbound.client import Client
from core.outbound.urls import validate_url
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage
from notifications.channels.posting import DEFAULT_WAIT, post, wait_of
from notifications.channels.teams.card import layout

KIND, PROVIDER = "teams", "Teams"
PER_SECOND = 4
RETIRED = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")


class RateGuard:
    """Refuses a fifth message to one address within a second: Teams would throttle it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sent: dict[str, list[float]] = {}

    def wait(self, address: str, now: float) -> float:
        """Return 0 and count this message, or the seconds to wait."""
        with self._lock:
            recent = [moment for moment in self._sent.get(address, []) if now - moment < 1]
            if len(recent) >= PER_SECOND:
                return 1 - (now - recent[0])
            self._sent = {key: value for key, value in self._sent.items() if now - value[-1] < 1}
            self._sent[address] = [*recent, now]
            return 0.0


guard = RateGuard()


@cache
def _client() -> Client:
    return Client()


def send(message: Message, to: Address) -> Receipt:
    if wait := guard.wait(to.value, time.monotonic()):
        raise Failed("Teams takes four messages a second.", retry_after=wait, provider=PROVIDER)
    answer = post(_client(), to.value, layout(message), {"Content-Type": "application/json"}, to=PROVIDER)
    if answer.status in (200, 202):
        # The workflow runs later and may fail: nothing says that anybody saw it.
        return Receipt(Stage.ACCEPTED, provider=PROVIDER, provider_id=answer.headers.get("x-ms-workflow-run-id", ""))
    if answer.status == 429:
        raise Failed("Teams limits the rate.", retry_after=wait_of(answer) or DEFAULT_WAIT, provider=PROVIDER)
    if answer.status >= 500 or answer.status == 408:
        raise Failed(f"Teams answered HTTP {answer.status}.", provider=PROVIDER, may_have_arrived=True)
    raise _refusal(answer.status)


def _refusal(status: int) -> Failed:
    reasons = {
        401: "the workflow's address is not valid any more; copy it again",
        403: "the workflow's address is not valid any more; copy it again",
        404: "the workflow was deleted or is switched off",
        410: "the workflow was deleted",
        413: "the message is too long",
    }
    reason = reasons.get(status, "the workflow refused the message")
    return Failed(
        f"Teams: {reason} (HTTP {status}).", is_permanent=True, disables=status in (404, 410), provider=PROVIDER
    )


def validate(text: str) -> str:
    """Return the address of a workflow. Raises DomainError for the connectors that Microsoft retired."""
    address = validate_url(text)
    host = urlsplit(address).hostname or ""
    if host in RETIRED or host.endswith(tuple(f".{name}" for name in RETIRED)):
        raise DomainError(
            gettext(
                "This is the address of a connector, which Microsoft has retired. "
                "Create a workflow “Send webhook alerts "
                "to a channel” in Teams and enter its address."
            ),
            field="address",
        )
    return address


def mask(address: str) -> str:
    return f"{urlsplit(address).hostname}/…"


CHANNELS = (
    Channel(
        kind=KIND,
        label=_("Microsoft Teams"),
        send=send,
        validate=validate,
        mask=mask,
        is_personal=False,
        is_room=True,
        needs_read_back=True,
        per_minute=PER_SECOND * 60,
    ),
)
