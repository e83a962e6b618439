"""Send to a sink over eight connections, and do nothing else: `… -m benchmarks.paging.senders KIND PORT NUMBER`."""

import http.client
import smtplib
import sys
import threading
from email.message import EmailMessage
from email.policy import SMTP

from benchmarks.client import HOST

CONNECTIONS = 8


def mails(port: int, number: int) -> None:
    """Send mails over one connection."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "page", "a@bench.example", "b@bench.example"
    message.set_content("Something is down.\n" * 60)
    content = message.as_bytes(policy=SMTP)
    with smtplib.SMTP(HOST, port) as smtp:
        for _ in range(number):
            smtp.sendmail("a@bench.example", ["b@bench.example"], content)


def posts(port: int, number: int) -> None:
    """Post over one connection."""
    connection = http.client.HTTPConnection(HOST, port)
    for _ in range(number):
        connection.request("POST", "/0", b"x" * 1200, {"webhook-id": "1"})
        connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    _kind, _port, _number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _send = mails if _kind == "smtp" else posts
    _threads = [threading.Thread(target=_send, args=(_port, _number // CONNECTIONS)) for _ in range(CONNECTIONS)]
    for _thread in _threads:
        _thread.start()
    for _thread in _threads:
        _thread.join()
