"""Run the fake as a process: `python -m notifications.channels.twilio.tests --port 9100`.

It acts by itself: reports each SMS, rings each number. `/fake/…` steers and shows it:

    POST /fake/numbers {"+41791234567": {"keys": ["1"]}}   what happens to a number (see Behaviour)
    POST /fake/reply {"address": "http://…/integrations/twilio/sms", "from": "+41…", "text": "4271 A"} → {"texts": […]}
    POST /fake/trouble {"throttled": 3, "broken": 0}       the next so many requests get 429 or 503
    GET  /fake/sent                                        all messages and calls, and faults of requests
"""

import argparse
import json
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from notifications.channels.twilio.tests.fake import ACCOUNT, TOKEN, Behaviour, FakeTwilio, Sent, serving
from notifications.channels.twilio.tests.player import TwiMLError

SECONDS = 15  # Twilio's own time-out


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def post(address: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
    """POST a form over the network; no answer is status 0."""
    request = urllib.request.Request(address, urlencode(form).encode(), headers, method="POST")
    try:
        with _opener.open(request, timeout=SECONDS) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except OSError:
        return 0, ""


class ActingTwilio(FakeTwilio):
    """A fake that reports and rings by itself, `delay` seconds after a request."""

    delay = 0.2

    def begin(self, sent: Sent) -> None:
        threading.Thread(target=self._act, args=(sent,), daemon=True).start()

    def _act(self, sent: Sent) -> None:
        time.sleep(self.delay)
        try:
            if sent.resource == "Messages":
                self.report(sent)
            else:
                self.ring(sent)
        except TwiMLError as error:
            self.refused.append(str(error))

    def control(self, path: str, body: str) -> dict[str, Any]:
        """Do what `/fake/…` asks."""
        asked = json.loads(body or "{}")
        if path == "/fake/numbers":
            for number, values in asked.items():
                lists = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
                self.numbers[number] = Behaviour(**lists)
        if path == "/fake/trouble":
            self.throttled, self.broken = asked.get("throttled", 0), asked.get("broken", 0)
        if path == "/fake/reply":
            return {"texts": self.reply(asked["address"], asked["from"], asked["text"])}
        return {"sent": [_shown(sent) for sent in self.sent], "refused": self.refused}


def _shown(sent: Sent) -> dict[str, Any]:
    heard = sent.heard and {"said": sent.heard.said, "pressed": sent.heard.pressed}
    return {"sid": sent.sid, "resource": sent.resource, "form": sent.form, "heard": heard}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--account", default=ACCOUNT)
    parser.add_argument("--token", default=TOKEN)
    options = parser.parse_args()
    fake = ActingTwilio(post=post, account=options.account, token=options.token)
    fake.after = fake.begin
    with serving(fake, options.port, fake.control) as address:
        sys.stdout.write(f"Twilio's stand-in at {address}, account {options.account}, token {options.token}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
