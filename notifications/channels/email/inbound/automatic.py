"""Mails written by programs (RFC 3834), which never open or update an incident."""

from email.message import Message

from notifications.channels.email.composing import OWN_HEADER
from notifications.channels.email.inbound.headers import header, sender_of

BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
MARKS = ("X-Autoreply", "X-Autorespond", "X-Mail-Autoreply", "X-Auto-Reply-From", "X-Vacation")
DAEMONS = frozenset({"mailer-daemon", "postmaster", "double-bounce"})
NULL_SENDERS = frozenset({"", "<>", "mailer-daemon"})  # the last is what Postfix passes to programs


def why_automatic(mail: Message, own_addresses: frozenset[str], envelope_sender: str | None = None) -> str:
    """Return why nobody wrote this by hand, or ""; an `envelope_sender` of None is unknown."""
    _, sender = sender_of(mail)
    submitted = header(mail, "Auto-Submitted").split(";")[0].strip().lower()
    if OWN_HEADER in mail or sender in own_addresses:
        return "It is one of our own mails."
    if submitted and submitted != "no":
        return f"It is automatic (Auto-Submitted: {submitted[:40]})."
    if (precedence := header(mail, "Precedence").strip().lower()) in BULK:
        return f"It is automatic or bulk mail (Precedence: {precedence})."
    if "List-Id" in mail:
        return "It came through a mailing list (List-Id)."
    if mark := next((name for name in MARKS if name in mail), ""):
        return f"It is an automatic reply ({mark})."
    if has_null_sender(mail, envelope_sender):
        return "It is automatic: it has no sender to return it to."
    if sender.partition("@")[0] in DAEMONS:
        return "It is automatic: a mail server sent it."
    return ""


def has_null_sender(mail: Message, envelope_sender: str | None) -> bool:
    """Return whether it cannot be returned (RFC 5321, 4.5.5)."""
    if envelope_sender is not None:
        return envelope_sender.strip().lower() in NULL_SENDERS
    return "Return-Path" in mail and header(mail, "Return-Path").strip() == "<>"
