"""A stand-in for Slack that judges as strictly as Slack, and presses buttons with a signature of its own making.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage, …/chat.update, /messaging/sending-messages-using-
incoming-webhooks, /reference/interaction-payloads/block_actions-payload, /interactivity/implementing-slash-commands.
"""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import urlencode

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from notifications.channels.chat.tests.server import FakeServer, route_of

TOKEN, SECRET = "xoxb-1-test", "8f742231b10e8888abcd99yyyzzz85a5"
TEAM = "T0TEST0001"
KNOWN = {
    "chat.postMessage": {"channel", "text", "blocks", "unfurl_links", "unfurl_media", "thread_ts", "mrkdwn"},
    "chat.update": {"channel", "ts", "text", "blocks"},
}
Judgement = tuple[int, dict[str, str], Any]


class FakeSlack(FakeServer):
    def __init__(self, port: int = 0, *, clock: Callable[[], float] = time.monotonic, per_second: bool = True) -> None:
        self.clock, self.per_second = clock, per_second
        self.channels = {"C0INCIDENTS": "incidents"}
        self.people = {"U0ADA00001"}
        self.errors: dict[str, str] = {}  # of channels and webhooks
        self.messages: dict[tuple[str, str], dict[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        self.webhook_posts: list[dict[str, Any]] = []
        self.last: dict[str, float] = {}
        self.numbers = count(1)
        super().__init__(port)

    @property
    def api_url(self) -> str:
        return f"{self.address}/api"

    def judge(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Judgement:
        route = route_of(path)
        if method != "POST":
            return 405, {}, b""
        if route.startswith("/api/"):
            return self._call(route.removeprefix("/api/"), headers, body)
        if route.startswith("/services/"):
            return self._webhook(route, headers, body)
        if route.startswith("/actions/"):
            self.replies.append(json.loads(body) | {"to": route})
            return 200, {}, b"ok"
        return 404, {}, b"not found"

    def _call(self, method: str, headers: dict[str, str], body: bytes) -> Judgement:
        if "authorization" not in headers:
            return _refused("not_authed")
        if headers["authorization"] != f"Bearer {TOKEN}":
            return _refused("invalid_auth")
        if method not in KNOWN:
            return _refused("unknown_method")
        if not headers.get("content-type", "").startswith("application/json; charset=utf-8"):
            return _refused("invalid_post_type")
        given = json.loads(body)
        if set(given) - KNOWN[method]:
            return _refused("invalid_arguments")
        return self._post(given) if method == "chat.postMessage" else self._update(given)

    def _post(self, given: dict[str, Any]) -> Judgement:
        channel = self._channel(str(given.get("channel", "")))
        if error := self.errors.get(str(given.get("channel"))):
            return _refused(error)
        if channel is None:
            return _refused("channel_not_found")
        if error := judge_content(given):
            return _refused(error)
        if wait := self._throttle(channel):
            return 429, {"Retry-After": str(wait)}, {"ok": False, "error": "ratelimited"}
        ts = f"1700000000.{next(self.numbers):06d}"
        self.messages[channel, ts] = given
        self.posts.append(given | {"ts": ts, "in": channel})
        return 200, {}, {"ok": True, "channel": channel, "ts": ts, "message": {"text": given.get("text", "")}}

    def _update(self, given: dict[str, Any]) -> Judgement:
        place = (str(given.get("channel")), str(given.get("ts")))
        if place not in self.messages:
            return _refused("message_not_found")
        if error := judge_content(given):
            return _refused(error)
        self.messages[place] = given
        return 200, {}, {"ok": True, "channel": place[0], "ts": place[1], "text": given.get("text", "")}

    def _channel(self, given: str) -> str | None:
        if given in self.channels:
            return given
        if given in self.people:
            return f"D{given[1:]}"
        return next((key for key, name in self.channels.items() if given == f"#{name}"), None)

    def _throttle(self, channel: str) -> int:
        now = self.clock()
        if self.per_second and now - self.last.get(channel, -1e9) < 1:
            return 1
        self.last[channel] = now
        return 0

    def _webhook(self, route: str, headers: dict[str, str], body: bytes) -> Judgement:
        if error := self.errors.get(route):
            return (
                {"no_service": 404, "channel_is_archived": 410, "rollup_error": 429}.get(error, 400),
                {},
                error.encode(),
            )
        given = json.loads(body)
        if set(given) - {"text", "blocks"} or judge_content(given):
            return 400, {}, b"invalid_payload"
        self.webhook_posts.append(given)
        return 200, {"Content-Type": "text/html"}, b"ok"

    # what people do

    def press(
        self,
        user: str,
        action_id: str,
        value: str,
        *,
        channel: str = "C0INCIDENTS",
        ts: str = "",
        kind: str = "button",
        block: str = "b",
    ) -> bytes:
        """Return the body of a pressed button, as Slack sends it."""
        number = next(self.numbers)
        action = {
            "action_id": action_id,
            "block_id": block,
            "value": value,
            "type": kind,
            "action_ts": f"1700000001.{number:06d}",
        }
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": "ada", "name": "ada", "team_id": TEAM},
            "api_app_id": "A0TEST",
            "token": "verification",
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            "trigger_id": f"{number}.1.abc",
            "team": {"id": TEAM, "domain": "test"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": channel, "name": "incidents"},
            "state": {"values": {}},
            "response_url": f"{self.address}/actions/{TEAM}/{number}/x",
            "actions": [action],
        }
        return urlencode({"payload": json.dumps(payload)}).encode()

    def command(self, user: str, text: str) -> bytes:
        number = next(self.numbers)
        fields = {
            "token": "verification",
            "team_id": TEAM,
            "team_domain": "test",
            "channel_id": "C0INCIDENTS",
            "channel_name": "incidents",
            "user_id": user,
            "user_name": "ada",
            "command": "/incident",
            "text": text,
            "api_app_id": "A0TEST",
            "is_enterprise_install": "false",
            "response_url": f"{self.address}/actions/{TEAM}/{number}/x",
            "trigger_id": f"{number}.2.abc",
        }
        return urlencode(fields).encode()


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Return Slack's headers: an HMAC of version, time and body."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b":".join((b"v0", stamp.encode(), body)), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def deliver(url: str, body: bytes) -> tuple[int, bytes, float]:
    """Send a signed request to a server; return status, answer and seconds."""
    begun = time.monotonic()
    request = urllib.request.Request(url, data=body, headers=signed(body))
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read(), time.monotonic() - begun
    except urllib.error.HTTPError as error:
        return error.code, error.read(), time.monotonic() - begun


def judge_content(given: dict[str, Any]) -> str:
    """Return Slack's error for text and blocks, or nothing."""
    blocks, text = given.get("blocks", []), given.get("text", "")
    if not blocks and not text:
        return "no_text"
    if len(text) > 40_000:
        return "msg_too_long"
    if not isinstance(blocks, list) or len(blocks) > 50:
        return "invalid_blocks"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        return "invalid_blocks"
    return "" if all(is_valid(block) for block in blocks) else "invalid_blocks"


def is_valid(block: dict[str, Any]) -> bool:
    """Judge a block by slack_sdk's models, and by the limits that these do not know."""
    try:
        parsed = Block.parse(block)
        if parsed is None or _meaningful(parsed.to_dict()) != _meaningful(block):
            return False
        for element in getattr(parsed, "elements", None) or []:
            element.to_dict()
        if getattr(parsed, "element", None) is not None:
            parsed.element.to_dict()  # type: ignore[attr-defined]
    except (SlackObjectFormationError, TypeError):
        return False
    return all(_is_within_limits(element) for element in [block, *block.get("elements", [])])


def _is_within_limits(part: dict[str, Any]) -> bool:
    text = part.get("text")
    if isinstance(text, dict):
        most = {"header": 150, "button": 75}.get(part.get("type", ""), 3000)
        if not text["text"].strip() or len(text["text"]) > most:
            return False
        if (text["type"] == "plain_text" and "verbatim" in text) or (text["type"] == "mrkdwn" and "emoji" in text):
            return False
    if part.get("type") == "button" and ("style" in part and part["style"] not in ("primary", "danger")):
        return False
    if part.get("type") == "actions":
        ids = [element["action_id"] for element in part["elements"]]
        return 0 < len(ids) <= 25 and len(ids) == len(set(ids))
    return True


def _meaningful(value: Any) -> Any:
    """Return it without what is left out when written; nothing of ours may get lost in the model."""
    if isinstance(value, dict):
        return {key: _meaningful(item) for key, item in value.items() if item not in (None, [], {})}
    return [_meaningful(item) for item in value] if isinstance(value, list) else value


def _refused(error: str) -> Judgement:
    return 200, {}, {"ok": False, "error": error}
