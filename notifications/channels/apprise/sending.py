"""Sending by Apprise.

Apprise sends by itself, past our outbound client: hosts are checked before each message, and redirects are off.
"""

import logging
import re
import socket
import threading
from typing import Any
from urllib.parse import parse_qsl

import apprise
from apprise import NotifyBase
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.outbound.network import is_allowed
from notifications.channels.apprise.layout import layout, notify_type
from notifications.channels.apprise.services import NAMES, REFUSED_PARAMETERS, SELF_HOSTED, scheme_of
from notifications.channels.port import Address, Failed, Message, Receipt, Stage

PROVIDER = "Apprise"
CONNECT_SECONDS = READ_SECONDS = 5.0
LONGEST = 2000
NEEDS = {"mqtt": "paho-mqtt", "mqtts": "paho-mqtt"}
MOST_BYTES = {"ntfy": 1800, "ntfys": 1800}  # longer ones may become files: Apprise counts them escaped
PERMANENT = frozenset({400, 401, 403, 404, 405, 410, 413})
_STATUS = re.compile(r"error[=: ]+(\d{3})\b")
# Both name addresses, which hold secrets; Apprise even in errors.
_logger = logging.getLogger("apprise")
_logger.propagate = False
_logger.addHandler(logging.NullHandler())
logging.getLogger("urllib3").setLevel(logging.WARNING)


class _Asset(apprise.AppriseAsset):
    app_id = "incident-response"
    app_desc = "Incident response"
    app_url = ""
    image_url_mask = ""  # else each message makes readers fetch an icon from elsewhere
    http_redirects = False
    async_mode = False
    pgp_autogen = pem_autogen = False


def send(message: Message, to: Address) -> Receipt:
    service = _service(to.value)
    if service is None:
        raise Failed("Apprise does not know this address.", is_permanent=True, provider=PROVIDER)
    name = NAMES[scheme_of(to.value)]
    _check_host(to.value, service)
    most = min(int(service.body_maxlen), MOST_BYTES.get(scheme_of(to.value), 8000))
    title, body = layout(message, most, has_title=service.title_maxlen > 0)
    with _Statuses() as seen:
        try:
            is_sent = service.notify(title=title, body=body, notify_type=apprise.NotifyType(notify_type(message)))
        except (OSError, TypeError, ValueError) as error:
            raise Failed(f"{name}: {type(error).__name__}.", provider=PROVIDER, may_have_arrived=True) from error
    if not is_sent:
        raise _failure(name, seen.status)
    return Receipt(Stage.ACCEPTED, provider=name)


def _failure(name: str, status: int | None) -> Failed:
    if status is None:
        return Failed(f"{name} did not take the message.", provider=PROVIDER, may_have_arrived=True)
    return Failed(
        f"{name} answered HTTP {status}.",
        is_permanent=status in PERMANENT,
        disables=status == 410,
        may_have_arrived=status >= 500,
        provider=PROVIDER,
    )


def _service(address: str) -> NotifyBase | None:
    found: Any = apprise.Apprise.instantiate(
        address,
        asset=_Asset(storage_mode=apprise.PersistentStoreMode.MEMORY, secure_logging=True, allow_templates=False),
        suppress_exceptions=True,
    )
    if not isinstance(found, NotifyBase):
        return None
    found.socket_connect_timeout, found.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
    return found


def _check_host(address: str, service: NotifyBase) -> None:
    if scheme_of(address) not in SELF_HOSTED or getattr(service, "mode", "") == "cloud":
        return
    try:
        found = socket.getaddrinfo(str(service.host).strip("[]"), service.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Failed("The host cannot be resolved.", provider=PROVIDER) from error
    if not all(is_allowed(str(sockaddr[0])) for *_rest, sockaddr in found):
        raise Failed(
            "The host is not public; OUTBOUND_ALLOW does not name its network.", is_permanent=True, provider=PROVIDER
        )


class _Statuses(logging.Handler):
    """Reads the HTTP status that Apprise logs in this thread; its messages may name addresses."""

    status: int | None = None

    def __enter__(self) -> "_Statuses":
        self._thread = threading.get_ident()
        _logger.disabled = False  # as other libraries' set-up of logging leaves it
        _logger.setLevel(logging.WARNING)
        _logger.addHandler(self)
        return self

    def __exit__(self, *_error: object) -> None:
        _logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and (match := _STATUS.search(record.getMessage())):
            self.status = int(match[1])


def validate(text: str) -> str:
    """Return an address of a service that is offered. Raises DomainError."""
    text = text.strip()
    scheme = scheme_of(text)
    if scheme not in NAMES or len(text) > LONGEST:
        offered = ", ".join(sorted(NAMES))
        raise DomainError(
            _("Enter an Apprise address that begins with one of: %(offered)s.") % {"offered": offered}, field="address"
        )
    refused = REFUSED_PARAMETERS & {name.lower() for name, _value in parse_qsl(text.partition("?")[2])}
    if refused:
        raise DomainError(
            _("These parameters are not allowed: %(names)s.") % {"names": ", ".join(sorted(refused))}, field="address"
        )
    if _service(text) is None:
        if scheme in NEEDS:
            raise DomainError(
                _("%(service)s needs a package: %(needs)s.") % {"service": NAMES[scheme], "needs": NEEDS[scheme]},
                field="address",
            )
        raise DomainError(
            _("This is not a complete address of %(service)s.") % {"service": NAMES[scheme]}, field="address"
        )
    return text
