"""Poll a mailbox (IMAP): store each mail, then mark it as read; a crash in between fetches it again."""

import datetime as dt
import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Protocol

import structlog
from django.conf import settings
from imap_tools import (
    BaseMailBox,
    ImapToolsError,
    MailBox,
    MailboxLoginError,
    MailBoxStartTls,
    MailBoxUnencrypted,
)

from notifications.channels.email.inbound.receiving import MAX_BYTES, receive

BATCH = 50
SECONDS = 30.0
log = structlog.get_logger(__name__)
_withheld: set[str] = set()  # by the server, at the last try; tried after all others


class Account(Protocol):
    """`security` is tls, starttls or ""."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def security(self) -> str: ...


class MailboxUnavailable(Exception):
    """The mailbox cannot be read."""


def poll_mailbox(now: dt.datetime) -> int:
    """Store unread mails; count the new ones."""
    return fetch_new(settings.IMAP, now) if settings.IMAP is not None else 0


def fetch_new(account: Account, now: dt.datetime, *, tls: ssl.SSLContext | None = None) -> int:
    """Store a batch of unread mails. Raises MailboxUnavailable."""
    number = 0
    with signed_in(account, tls) as mailbox:
        unread = mailbox.uids("UNSEEN")
        _withheld.intersection_update(unread)
        for uid in sorted(unread, key=_withheld.__contains__)[:BATCH]:
            fetched = _fetch(mailbox.client, uid)
            if fetched is None:
                continue
            content, size = fetched
            number += receive(content, now=now, size=size)
            mailbox.client.uid("STORE", uid, "+FLAGS", "(\\Seen)")  # imap-tools' `flag` would expunge the folder
    return number


@contextmanager
def signed_in(account: Account, tls: ssl.SSLContext | None) -> Iterator[BaseMailBox]:
    """Open the folder. Raises MailboxUnavailable."""
    where = f"The mailbox {account.folder} at {account.host}:{account.port}"
    try:
        mailbox = _connect(account, tls)
        try:
            sign_in = mailbox.login if (account.user + account.password).isascii() else mailbox.login_utf8
            sign_in(account.user, account.password, initial_folder=account.folder)
            yield mailbox
        finally:
            _leave(mailbox)
    except MailboxLoginError as error:
        raise MailboxUnavailable(f"{where} refused our user name or password.") from error
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        raise MailboxUnavailable(f"{where} cannot be read: {str(error)[:200]}") from error


def _connect(account: Account, tls: ssl.SSLContext | None) -> BaseMailBox:
    where = account.host, account.port, SECONDS
    if account.security == "tls":
        return MailBox(*where, ssl_context=tls or ssl.create_default_context())
    if account.security == "starttls":
        return MailBoxStartTls(*where, ssl_context=tls or ssl.create_default_context())
    return MailBoxUnencrypted(*where)


def _leave(mailbox: BaseMailBox) -> None:
    try:
        mailbox.logout()
    except (ImapToolsError, imaplib.IMAP4.error, OSError):
        mailbox.client.shutdown()


def _fetch(client: Any, uid: str) -> tuple[bytes, int] | None:
    """Return a mail (or its beginning) and its size, unparsed: hostile ones break imap-tools. None: it is withheld."""
    is_known = uid in _withheld
    _withheld.add(uid)  # the connection may break
    _, answer = client.uid("FETCH", uid, f"(RFC822.SIZE BODY.PEEK[]<0.{MAX_BYTES}>)")
    for part in answer:
        if isinstance(part, tuple):
            words = part[0].decode("ascii", "replace").replace("(", " ").replace(")", " ").split()
            size = next((int(size) for name, size in pairwise(words) if name == "RFC822.SIZE"), 0)
            _withheld.discard(uid)
            return part[1], max(size, len(part[1]))
    if not is_known:
        log.error("mail_withheld", uid=uid, kept=len(_withheld))
    return None
