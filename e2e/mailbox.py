"""A real mail server for the server under test, and the mails in it."""

import email
import email.policy
import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

from e2e.environments import PROGRAMS, Environment
from e2e.processes import Process
from e2e.server import HOST, eventually, free_port

LINK = re.compile(r"https?://\S+/a/[^\s\"'<>]+/")


class Mailbox(Process):
    """aiosmtpd on a port of its own. Raises Unavailable where it cannot be installed."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.mails = folder / f"mails-{self.port}"
        self.mails.mkdir()
        environment = Environment("mailbox", "aiosmtpd")
        command = [str(environment.python), "-P", str(PROGRAMS / "mailbox.py"), str(self.port), str(self.mails)]
        super().__init__(command, folder / f"mailbox-{self.port}.log", self._is_listening)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def of(self, address: str) -> list[EmailMessage]:
        """The mails to an address, oldest first."""
        return [mail for mail in self._all() if address in str(mail["To"])]

    def wait_for(self, address: str, text: str, *, seconds: float = 30) -> EmailMessage:
        """The first mail to an address whose subject or text holds these words."""

        def found() -> EmailMessage | None:
            return next((mail for mail in self.of(address) if text in f"{mail['Subject']}\n{text_of(mail)}"), None)

        return eventually(found, f"a mail to {address} with {text!r}", but=lambda: self.subjects(), seconds=seconds)

    def subjects(self) -> list[str]:
        return [f"{mail['To']}: {mail['Subject']}" for mail in self._all()]

    def _all(self) -> Iterator[EmailMessage]:
        for path in sorted(self.mails.glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            yield message


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def answer_link(mail: EmailMessage) -> str:
    """The address of the one-click page in a mail."""
    found = LINK.search(text_of(mail))
    assert found, f"no link to answer in:\n{text_of(mail)}"
    return found.group()
