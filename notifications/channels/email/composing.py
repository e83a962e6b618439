"""From messages to mails."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from email.quoprimime import body_encode
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from core.severity import SEVERITY_OF_WORD
from core.text.languages import reading
from core.text.moments import shown_in
from core.text.names import one_line
from core.text.zones import zone_named
from incidents.vocabulary import STATUS_OF_WORD
from notifications.channels.email.addresses import bare, domain_of, wire_form
from notifications.channels.email.tokens import BOUNCES, Token, make_token, plus_address, root_of
from notifications.channels.port import Message

SUBJECT_LENGTH = 150
OWN_HEADER = "X-Incident-Response"
THREADED = frozenset({"page", "update"})
URGENT = frozenset({"page", "notice"})  # codes and tests are of high importance to the outbox only
SITE_MARK = "notification"
LINE_LENGTH, NEWLINE = 76, "\r\n"
POLICY = SMTP.clone(max_line_length=LINE_LENGTH, refold_source="none")
COLOURS = {"critical": "#b3261e", "high": "#b85c00", "medium": "#8a6d00", "low": "#3c6e47"}
OTHER_COLOUR = "#3b5b8c"
PAGES = {"/runs/": gettext_lazy("Open the run"), "/reviews/": gettext_lazy("Open the review")}


@dataclass(frozen=True)
class Sender:
    """`inbound` is where replies and bounces go, if set."""

    mailbox: str
    inbound: str = ""
    site: str = ""  # PUBLIC_URL

    @property
    def domain(self) -> str:
        return domain_of(wire_form(bare(self.mailbox)))


@dataclass(frozen=True)
class Mail:
    message: EmailMessage
    sender: str
    recipient: str
    token: str


def compose(message: Message, address: str, sender: Sender, now: dt.datetime) -> Mail:
    """Lay out a message. Raises UnicodeError for an address that no server takes."""
    about = message.incident if message.count == 1 else None
    token = make_token(key=message.key, incident=about, address=address)
    origin, recipient = wire_form(bare(sender.mailbox)), wire_form(address)
    mail = EmailMessage(policy=POLICY)
    mail.set_raw("Subject", _folded("Subject", subject_of(message)))
    mail.set_raw("From", _from(one_line(parseaddr(sender.mailbox)[0]), origin))
    mail.set_raw("Date", format_datetime(now))
    for name, value in _plain_headers(message, about, token, recipient, sender):
        mail.set_raw(name, value)
    mail.set_raw("MIME-Version", "1.0")
    # quoted-printable text holds no "=_"
    mail.set_raw("Content-Type", f'multipart/alternative;\r\n boundary="=_{token}"')
    with reading(message.language):
        context = context_of(message, sender)
        text = render_to_string("notifications/email/message.txt", context)
        markup = render_to_string("notifications/email/message.html", context)
    mail.attach(_part("plain", text))
    mail.attach(_part("html", markup))
    bounces = plus_address(sender.inbound, f"{BOUNCES}{token}") if sender.inbound else origin
    return Mail(mail, bounces, recipient, str(token))


def _part(subtype: str, text: str) -> EmailMessage:
    """Return what `set_content` makes, without parsing the headers it has just written."""
    part = EmailMessage(policy=POLICY)
    part.set_raw("Content-Type", f'text/{subtype}; charset="utf-8"')
    part.set_raw("Content-Transfer-Encoding", "quoted-printable")
    part.set_payload(body_encode(text.encode().decode("latin-1"), LINE_LENGTH))
    return part


def _folded(name: str, value: str) -> str:
    """Return a header's value as it is sent; most are short and ASCII."""
    if value.isascii() and value.isprintable() and len(name) + len(value) + 2 <= LINE_LENGTH:
        return value
    folded: str = POLICY.fold(name, POLICY.header_factory(name, value))
    return folded[len(name) + 1 :].strip()  # a value may begin on the line below


@cache
def _from(name: str, address: str) -> str:
    if name.isascii():
        return str(Mailbox(name, addr_spec=address))
    return f"{Header(name, 'utf-8', header_name='From').encode(linesep=NEWLINE)} <{address}>"


def _plain_headers(
    message: Message, about: int | None, token: Token, recipient: str, sender: Sender
) -> Iterator[tuple[str, str]]:
    """Yield what folding would spoil."""
    yield "To", recipient
    yield "Message-ID", f"<{token}@{sender.domain}>"
    if about is not None:
        root = root_of(about, sender.domain)
        yield "In-Reply-To", root
        yield "References", root
    if message.leave_url:  # RFC 2369, RFC 8058
        yield "List-Unsubscribe", f"<{message.leave_url}>"
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
    elif sender.inbound:
        yield "Reply-To", plus_address(sender.inbound, str(token)) if about is not None else sender.inbound
    yield "Auto-Submitted", "auto-generated"  # RFC 3834
    yield "X-Auto-Response-Suppress", "All"  # Exchange
    yield OWN_HEADER, SITE_MARK
    if message.kind in URGENT and message.importance == "high":
        yield "Importance", "high"
        yield "X-Priority", "1"


def subject_of(message: Message) -> str:
    """Return one line, shared by pages and updates: mail programs split threads by it."""
    title = message.title
    if message.count == 1 and message.kind in THREADED:
        title = message.event.get("data", {}).get("incident", {}).get("title") or title
    title = one_line(_encodable(title))
    if message.count == 1 and message.reference and message.reference not in title:
        title = f"[{one_line(message.reference)}] {title}"
    return title if len(title) <= SUBJECT_LENGTH else f"{title[: SUBJECT_LENGTH - 1].rstrip()}…"


def context_of(message: Message, sender: Sender) -> dict[str, Any]:
    is_one = message.count == 1 and message.incident is not None
    return {
        "message": message,
        "title": one_line(_encodable(message.title)),
        "body": _encodable(message.body),
        "lines": [one_line(_encodable(line)) for line in message.lines],
        "facts": _facts_of(message) if is_one else [],
        "colour": COLOURS.get(message.severity, OTHER_COLOUR),
        "can_reply": bool(sender.inbound) and is_one,
        "opens": _opens(message),
        "site": message.origin or sender.site,
    }


def _opens(message: Message) -> str:
    """Return what the link says: what it leads to, which of a notice need not be the incident."""
    path = urlsplit(message.url).path
    if message.reference and path.endswith(f"/incidents/{message.reference}/"):
        return _("Open %(reference)s") % {"reference": message.reference}
    for folder, text in PAGES.items():
        if folder in path:
            return str(text)
    return pgettext("button", "Open")


def _facts_of(message: Message) -> list[tuple[str, str]]:
    facts = [
        (_("Incident"), message.reference),
        (_("Severity"), _severity(message.severity)),
        (_("Status"), _status(message.status)),
        (
            _("Since") if message.kind == "page" else pgettext("time", "At"),
            local_time(message.occurred_at, message.time_zone) if message.occurred_at else "",
        ),
    ]
    return [(name, one_line(value)) for name, value in facts if value]


def local_time(moment: dt.datetime, time_zone: str) -> str:
    return shown_in(moment, zone_named(time_zone), "full", has_zone=True)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _severity(word: str) -> str:
    return str(SEVERITY_OF_WORD[word].label) if word in SEVERITY_OF_WORD else word.capitalize()


def _status(word: str) -> str:
    return str(STATUS_OF_WORD[word].label) if word in STATUS_OF_WORD else word.replace("_", " ").capitalize()
