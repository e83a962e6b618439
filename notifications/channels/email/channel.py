"""The e-mail channel: what the port asks for."""

from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.channels.email.addresses import mask, validate
from notifications.channels.email.composing import Mail, Sender, compose
from notifications.channels.email.smtp import Client, Server
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage

KIND = "email"
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
PRINTING_BACKENDS = frozenset(f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy"))

client = Client()


def send(message: Message, to: Address) -> Receipt:
    """Hand a message to the mail server. Raises Failed."""
    try:
        mail = compose(message, to.value, sender(), timezone.now())
    except (UnicodeError, ValueError) as error:
        raise Failed("No mail can be addressed to this address.", is_permanent=True) from error
    answer = client.send(server(), mail) if settings.EMAIL_BACKEND == SMTP_BACKEND else _hand_to_backend(mail)
    return Receipt(Stage.ACCEPTED, provider_id=mail.token, detail=answer)


def why_unusable() -> str:
    """Return what the operator must set, or ""."""
    if settings.EMAIL_BACKEND in PRINTING_BACKENDS and settings.SECURE_TRANSPORT:
        return "Set EMAIL_URL to a mail server; until then mails are only printed."
    return ""


def sender() -> Sender:
    """Return whom our mails come from."""
    return Sender(settings.DEFAULT_FROM_EMAIL, settings.INBOUND_ADDRESS, settings.PUBLIC_URL.rstrip("/"))


def server() -> Server:
    """Return the operator's mail server."""
    return _server(
        settings.EMAIL_HOST,
        int(settings.EMAIL_PORT),
        settings.EMAIL_HOST_USER,
        settings.EMAIL_HOST_PASSWORD,
        "tls" if settings.EMAIL_USE_SSL else "starttls" if settings.EMAIL_USE_TLS else "",
        float(settings.EMAIL_TIMEOUT),
        urlsplit(settings.PUBLIC_URL).hostname or "localhost",
    )


@cache
def _server(host: str, port: int, user: str, password: str, security: str, timeout: float, name: str) -> Server:
    return Server(host, port, user, password, security, timeout, _greeting_name(name))


def _greeting_name(host: str) -> str:
    """Return how we introduce ourselves (RFC 5321, 4.1.3); looking our own name up could take seconds."""
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


def _hand_to_backend(mail: Mail) -> str:
    """Print the mail, or keep it, as the backend of EMAIL_URL does."""
    message = mail.message
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    headers = {name: str(value) for name, value in message.items() if name not in SET_BY_DJANGO}
    copy = EmailMultiAlternatives(
        str(message["Subject"]),
        text.get_content() if text else "",
        str(message["From"]),
        [mail.recipient],
        headers=headers,
    )
    if html is not None:
        copy.attach_alternative(html.get_content(), "text/html")
    try:
        copy.send()
    except OSError as error:
        raise Failed(f"The mail could not be written: {error.strerror or type(error).__name__}") from error
    return ""


SET_BY_DJANGO = frozenset({"Subject", "From", "To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"})

CHANNEL = Channel(
    kind=KIND,
    label=_("Email"),
    send=send,
    validate=validate,
    mask=mask,
    why_unusable=why_unusable,
    is_personal=True,
    is_room=True,
    concurrency=8,
)
CHANNELS = (CHANNEL,)
