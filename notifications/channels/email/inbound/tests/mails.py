"""Mails for tests, as bytes."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP

SERVER = "mx.example.org"
GENUINE = f"{SERVER}; dmarc=pass header.from=example.com"


def mail(
    *,
    sender: str = "Ana <ana@example.com>",
    to: str = "in@example.org",
    subject: str = "Checkout is down",
    text: str = "The shop shows an error.",
    identity: str = "<1@example.com>",
    results: str = GENUINE,
    files: Mapping[str, bytes] | None = None,
    **headers: str,
) -> bytes:
    """A mail; a header is left out by "", and named with underscores for hyphens."""
    message = EmailMessage(policy=SMTP)
    given = {
        "From": sender,
        "To": to,
        "Subject": subject,
        "Message-ID": identity,
        "Authentication-Results": results,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    for name, content in (files or {}).items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def bounce(
    *,
    to: str,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <ana@example.com>: Recipient address rejected: User unknown",
    returned: str = "",
) -> bytes:
    """A report as Postfix sends it (RFC 3464)."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <20261130031200.1@mx.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b/1"

--b/1
Content-Type: text/plain

I'm sorry to have to inform you.

--b/1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: Mon, 30 Nov 2026 03:12:00 +0000

Final-Recipient: rfc822; ana@example.com
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--b/1
Content-Type: text/rfc822-headers

Subject: [INC-7] Checkout is down
{returned}

--b/1--
""".replace("\n", "\r\n").encode()
