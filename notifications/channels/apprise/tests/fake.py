"""Stand-ins for services that Apprise sends to, which judge by what their vendors publish.

Sources: https://developers.mattermost.com/integrate/webhooks/incoming/, https://discord.com/developers/docs/resources/
webhook#execute-webhook, https://docs.ntfy.sh/publish/, https://spec.matrix.org/v1.11/client-server-api/.
"""

import base64
import json
from typing import Any

from notifications.channels.chat.tests.server import FakeServer, route_of

Judgement = tuple[int, dict[str, str], Any]
MATTERMOST = {"text", "username", "icon_url", "icon_emoji", "channel", "attachments", "type", "props", "priority"}
DISCORD = {"content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "flags", "wait", "thread_name"}
NTFY = {"topic", "title", "message", "tags", "priority", "actions", "click", "markdown", "icon"}


class FakeServices(FakeServer):
    """All in one; `status` makes it fail."""

    def __init__(self) -> None:
        self.status = 0
        self.texts: list[str] = []
        super().__init__()

    def judge(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Judgement:
        if self.status:
            return self.status, {"Location": "/hooks/elsewhere"} if self.status < 400 else {}, b""
        route = route_of(path)
        if route.startswith("/_matrix/"):
            return self._matrix(method, route, headers, body)
        if method != "POST" or headers.get("content-type", "").split(";")[0] != "application/json":
            return 400, {}, b""
        given = json.loads(body)
        if route == "/hooks/token":
            return self._take(given, MATTERMOST, "text", 16_383, b"ok")
        if route == "/api/webhooks/1/token":
            return self._take(given, DISCORD, "content", 2000, b"", status=204)
        if route == "/" and headers.get("authorization") == f"Basic {base64.b64encode(b'me:secret').decode()}":
            return self._take(given, NTFY, "message", 4096, {"id": "x", "event": "message"})
        return 401, {}, b""

    def _take(
        self, given: dict[str, Any], known: set[str], text: str, most: int, answer: Any, status: int = 200
    ) -> Judgement:
        if (
            set(given) - known
            or not 1 <= len(given.get(text, "").encode() if known is NTFY else given.get(text, "")) <= most
        ):
            return 400, {}, b""
        self.texts.append(f"{given.get('title', '')} {given[text]}")
        return status, {}, answer

    def _matrix(self, method: str, route: str, headers: dict[str, str], body: bytes) -> Judgement:
        call = route.removeprefix("/_matrix/client/v3/").split("/")[0]
        given = json.loads(body or b"{}")
        if call == "login" and given.get("type") == "m.login.password" and given.get("password") == "secret":
            return 200, {}, {"access_token": "t", "user_id": "@u:h", "device_id": "D", "home_server": "h"}
        if headers.get("authorization") != "Bearer t":
            return 401, {}, {"errcode": "M_UNKNOWN_TOKEN", "error": "unknown"}
        if call == "join":
            return 200, {}, {"room_id": "!r:h"}
        if call == "rooms" and method == "PUT" and given.get("msgtype") == "m.text" and given.get("body"):
            self.texts.append(given["body"])
            return 200, {}, {"event_id": "$1"}
        return (200, {}, {}) if call == "logout" else (404, {}, {"errcode": "M_UNRECOGNIZED", "error": "unknown"})
