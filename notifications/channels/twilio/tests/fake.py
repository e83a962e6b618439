"""A fake of Twilio: judges each request by Twilio's OpenAPI, signs what it sends back, plays calls.

In tests, what it sends goes through `post`, when a test says so. `python -m notifications.channels.twilio.tests` runs
it as a process that acts by itself.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from notifications.channels.twilio.tests import player
from notifications.channels.twilio.tests.schema import Schema

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "fedcba9876543210" * 2
NUMBER = "+12025550199"
EVENTS = {"initiated": "initiated", "ringing": "ringing", "answered": "in-progress", "completed": "completed"}

Post = Callable[[str, dict[str, str], dict[str, str]], tuple[int, str]]  # (address, form, headers) → status, body


@dataclass
class Behaviour:
    """What happens to a number: `error` refuses requests, `statuses` follow an SMS, `keys` are pressed in a call.

    `answers` is False for a phone that rings unheard; a voicemail answers and presses nothing.
    """

    error: int = 0
    statuses: tuple[str, ...] = ("queued", "sent", "delivered")
    status_error: int = 0
    answers: bool = True
    keys: tuple[str, ...] = ()


@dataclass
class Sent:
    """A message or call that the fake took."""

    sid: str
    resource: str
    form: dict[str, list[str]]
    heard: player.Heard | None = None

    def __getitem__(self, name: str) -> str:
        return self.form[name][0]


@dataclass
class FakeTwilio:
    """The account, its numbers and what was sent."""

    post: Post
    account: str = ACCOUNT
    token: str = TOKEN
    schema: Schema = field(default_factory=Schema)
    numbers: dict[str, Behaviour] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # faults of requests, which a test expects to be none
    throttled: int = 0  # so many requests get 429
    broken: int = 0  # so many requests get 503
    after: Callable[[Sent], object] = lambda sent: None

    @property
    def messages(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.resource == "Messages"]

    @property
    def calls(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.resource == "Calls"]

    def behaviour(self, number: str) -> Behaviour:
        return self.numbers.setdefault(number, Behaviour())

    # --- Requests ---------------------------------------------------------------------------------------------------

    def take(self, path: str, headers: dict[str, str], body: str) -> tuple[int, dict[str, Any]]:
        """Answer a POST as Twilio does: (status, JSON)."""
        resource = path.removeprefix(f"/2010-04-01/Accounts/{self.account}/").removesuffix(".json")
        if resource not in ("Messages", "Calls"):
            return _error(404, 20404, f"The requested resource {path} was not found")
        if not self._is_authorised(headers.get("authorization", "")):
            return _error(401, 20003, "Authenticate")
        if self.throttled > 0:
            self.throttled -= 1
            return _error(429, 20429, "Too Many Requests")
        if self.broken > 0:
            self.broken -= 1
            return _error(503, 20503, "Service unavailable")
        if headers.get("content-type", "").split(";")[0] != "application/x-www-form-urlencoded":
            self.refused.append("not a form")
            return _error(400, 20001, "Unsupported media type")
        form = parse_qs(body, keep_blank_values=True, strict_parsing=bool(body))
        if faults := [*self.schema.request_faults(resource, form), *_rules(resource, form)]:
            self.refused += faults
            return _error(400, 21602, "; ".join(faults))
        if error := self.behaviour(form["To"][0]).error:
            return _error(400, error, f"The number {form['To'][0]} is refused")
        return self._accept(resource, form)

    def _accept(self, resource: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        prefix = "SM" if resource == "Messages" else "CA"
        sent = Sent(prefix + secrets.token_hex(16), resource, form)
        self.sent.append(sent)
        answer = {
            "sid": sent.sid,
            "account_sid": self.account,
            "to": sent["To"],
            "from": form.get("From", [None])[0],
            "status": "queued",
            "direction": "outbound-api",
            "date_created": formatdate(usegmt=True),
            "api_version": "2010-04-01",
            **({"body": sent["Body"], "error_code": None, "num_segments": "1"} if resource == "Messages" else {}),
        }
        self.refused += self.schema.answer_faults(resource, answer)
        self.after(sent)
        return 201, answer

    def _is_authorised(self, header: str) -> bool:
        try:
            given = base64.b64decode(header.removeprefix("Basic "), validate=True)
        except binascii.Error:
            return False
        return header.startswith("Basic ") and given == f"{self.account}:{self.token}".encode()

    # --- What Twilio sends ------------------------------------------------------------------------------------------

    def send(self, address: str, **form: str) -> tuple[int, str]:
        """POST a signed form to one of the application's addresses; return status and body."""
        form = {"AccountSid": self.account, "ApiVersion": "2010-04-01", **form}
        headers = {"X-Twilio-Signature": sign(self.token, address, form), "User-Agent": "TwilioProxy/1.1"}
        return self.post(address, form, headers)

    def report(self, sent: Sent, *statuses: str) -> list[int]:
        """Report an SMS's statuses, by default those of its number; return the answers' statuses."""
        behaviour, address = self.behaviour(sent["To"]), sent.form.get("StatusCallback", [""])[0]
        answers = []
        for status in statuses or behaviour.statuses:
            form = {"MessageSid": sent.sid, "SmsSid": sent.sid, "MessageStatus": status, "SmsStatus": status}
            if status in ("failed", "undelivered") and behaviour.status_error:
                form["ErrorCode"] = str(behaviour.status_error)
            if address:
                answers.append(self.send(address, To=sent["To"], From=NUMBER, **form)[0])
        return answers

    def ring(self, sent: Sent) -> player.Heard | None:
        """Play a call; return what was heard, None if nobody answered."""
        behaviour = self.behaviour(sent["To"])
        self._progress(sent, "ringing")
        if not behaviour.answers:
            self._progress(sent, "completed", "no-answer")
            return None
        self._progress(sent, "answered")
        common = {"CallSid": sent.sid, "To": sent["To"], "From": sent["From"], "Direction": "outbound-api"}

        def fetch(address: str, form: dict[str, str]) -> str:
            status, body = self.send(address, CallStatus="in-progress", **common, **form)
            if status != 200:
                raise player.TwiMLError(f"error 11200: HTTP status {status} of {address.split('?')[0]}")
            return body

        sent.heard = player.play(sent["Url"], fetch, list(behaviour.keys))
        self._progress(sent, "completed")
        return sent.heard

    def reply(self, address: str, number: str, text: str, **more: str) -> list[str]:
        """Send an SMS from a number to the account; return the texts it is answered with. Raises TwiMLError."""
        sid = "SM" + secrets.token_hex(16)
        form = {"MessageSid": sid, "SmsMessageSid": sid, "From": number, "To": NUMBER, "Body": text, **more}
        status, body = self.send(address, NumMedia="0", NumSegments="1", **form)
        if status != 200:
            raise player.TwiMLError(f"error 11200: HTTP status {status}")
        return [verb.text or "" for verb in player.parse(body) if verb.tag == "Message"]

    def _progress(self, sent: Sent, event: str, status: str = "") -> None:
        wanted = sent.form.get("StatusCallbackEvent", ["completed"])
        address = sent.form.get("StatusCallback", [""])[0]
        if event in wanted and address:
            form = {"CallSid": sent.sid, "CallStatus": status or EVENTS[event], "Direction": "outbound-api"}
            self.send(address, To=sent["To"], From=sent["From"], CallbackSource="call-progress-events", **form)


def sign(token: str, address: str, form: dict[str, str]) -> str:
    """Return X-Twilio-Signature; written apart from the application's own."""
    digest = hmac.new(token.encode(), digestmod=hashlib.sha1)
    digest.update(address.encode())
    for name, value in sorted(form.items()):
        digest.update(name.encode())
        digest.update(value.encode())
    return binascii.b2a_base64(digest.digest(), newline=False).decode()


def _error(status: int, code: int, message: str) -> tuple[int, dict[str, Any]]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return status, {"code": code, "message": message, "more_info": more, "status": status}


def _rules(resource: str, form: dict[str, list[str]]) -> Iterator[str]:
    """Yield breaches of what the documentation says beyond the schema."""
    if not form.get("To", [""])[0].startswith("+"):
        yield "To is not E.164"
    if resource == "Messages":
        if ("From" in form) == ("MessagingServiceSid" in form):
            yield "one of From and MessagingServiceSid is needed"
        if not 1 <= len(form.get("Body", [""])[0]) <= 1600:
            yield "Body has 1 to 1,600 characters"
    else:
        if sum(name in form for name in ("Url", "Twiml", "ApplicationSid")) != 1:
            yield "one of Url, Twiml and ApplicationSid is needed"
        if unknown := set(form.get("StatusCallbackEvent", ())) - set(EVENTS):
            yield f"{unknown} are no events"


# --- As a server ----------------------------------------------------------------------------------------------------


Control = Callable[[str, str], dict[str, Any]]  # (path, body) → JSON


@contextmanager
def serving(fake: FakeTwilio, port: int = 0, control: Control | None = None) -> Iterator[str]:
    """Serve the fake on the loopback address; yield its address. `control` serves `/fake/…`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            if control and self.path.startswith("/fake/"):
                self.answer(200, control(self.path, body))
            else:
                self.answer(*fake.take(self.path, headers, body))

        do_GET = do_POST

        def answer(self, status: int, answer: dict[str, Any]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status == 429:
                self.send_header("Retry-After", "3")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
