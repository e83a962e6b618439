"""A mail server for tests that speaks IMAP (RFC 3501): one folder, and nothing that a client must not ask for."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

USER, PASSWORD = "incidents", "correct horse"
FETCH = re.compile(rb"(\d+) \(RFC822\.SIZE BODY\.PEEK\[\]<0\.(\d+)>\)")
STORE = re.compile(rb"(\d+) \+FLAGS \((\\Seen)\)")


@dataclass
class Folder:
    """Mails by UID, those seen, and the commands that came."""

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    drops_at: str = ""
    withheld: set[int] = field(default_factory=set)

    def answer(self, name: str, rest: bytes) -> tuple[list[bytes], str]:
        """Return untagged lines and the tagged answer."""
        if name == "CAPABILITY":
            return [b"CAPABILITY IMAP4rev1"], "OK done"
        if name == "LOGIN":
            is_right = rest == f'"{USER}" "{PASSWORD}"'.encode()
            return [], "OK welcome" if is_right else "NO [AUTHENTICATIONFAILED] wrong"
        if name == "SELECT":
            if rest != b'"INBOX"':
                return [], "NO no such folder"
            return [f"{len(self.mails)} EXISTS".encode(), b"FLAGS (\\Seen)", b"OK [UIDVALIDITY 1]"], "OK [READ-WRITE]"
        if name == "NOOP":
            return [], "OK done"
        return self._of_mails(name, rest)

    def _of_mails(self, name: str, rest: bytes) -> tuple[list[bytes], str]:
        if name == "UID SEARCH":
            if rest not in (b"UNSEEN", b"CHARSET US-ASCII UNSEEN"):
                return [], "BAD not understood"
            found = sorted(set(self.mails) - self.seen)
            return [b"SEARCH " + b" ".join(b"%d" % uid for uid in found)], "OK done"
        if name == "UID FETCH" and (asked := FETCH.fullmatch(rest)):
            uid, most = int(asked[1]), int(asked[2])
            if uid in self.withheld:
                return [], "NO cannot be read"
            content = self.mails[uid][:most]
            head = b"1 FETCH (UID %d RFC822.SIZE %d BODY[]<0> {%d}" % (uid, len(self.mails[uid]), len(content))
            return [head + b"\r\n" + content + b")"], "OK done"
        if name == "UID STORE" and (asked := STORE.fullmatch(rest)):
            self.seen.add(int(asked[1]))
            return [], "OK done"
        return [], "BAD not understood"


@contextmanager
def imap_server(folder: Folder, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on 127.0.0.1 with this folder; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    thread = threading.Thread(target=_accept, args=(listener, folder, tls), daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        listener.close()
        thread.join(5)


def _accept(listener: socket.socket, folder: Folder, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, folder, tls), daemon=True).start()


def _serve(connection: socket.socket, folder: Folder, tls: ssl.SSLContext | None) -> None:
    connection.settimeout(10)
    with connection, suppress(OSError):
        if tls is None:
            _talk(connection, folder)
        else:
            with tls.wrap_socket(connection, server_side=True) as secured:
                _talk(secured, folder)


def _talk(connection: socket.socket, folder: Folder) -> None:
    with connection.makefile("rwb") as file:
        file.write(b"* OK ready\r\n")
        file.flush()
        for line in file:
            tag, name, rest = _parse(line.rstrip(b"\r\n"))
            folder.commands.append(name)
            if name == folder.drops_at:
                return
            if name == "LOGOUT":
                file.write(b"* BYE\r\n" + tag + b" OK done\r\n")
                file.flush()
                return
            lines, answer = folder.answer(name, rest)
            file.write(b"".join(b"* " + one + b"\r\n" for one in lines) + tag + b" " + answer.encode() + b"\r\n")
            file.flush()


def _parse(line: bytes) -> tuple[bytes, str, bytes]:
    tag, _, command = line.partition(b" ")
    name, _, rest = command.partition(b" ")
    if name.upper() == b"UID":
        second, _, rest = rest.partition(b" ")
        name += b" " + second
    return tag, name.decode("ascii", "replace").upper(), rest
