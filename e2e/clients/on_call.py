"""From Alertmanager to a person: a page by mail, ignored, goes on to Slack and is answered by its button; another is
answered by the link in the mail, and goes no further."""

import http.cookiejar
import json
import re
import time
import urllib.parse
import urllib.request
from contextlib import AbstractContextManager
from typing import Any

import httpx2

from e2e.mailbox import Mailbox, answer_link, text_of
from e2e.monitoring import Alertmanager, Disks, incident_of, one_alert, prometheus
from e2e.server import Server, eventually
from notifications.channels.slack.tests.fake import SECRET, TOKEN, FakeSlack, deliver

TITLE = "On call: Alertmanager → mail → Slack"
ANA, BEN = "ana@on-call.example", "ben@on-call.example"
BEN_IN_SLACK = "U0BEN00001"
STEP_SECONDS = 60
NEW_PEOPLE = """
import json
from responders.models import Membership, Team
from users.models import Role, User
from users.services import create_personal_token
team = Team.objects.create(name="Storage")
ids = {}
for name, email in (("Ana", "ana@on-call.example"), ("Ben", "ben@on-call.example")):
    user = User.objects.create(email=email, name=name, role=Role.RESPONDER)
    Membership.objects.create(team=team, user=user)
    ids[name] = user.pk
print(json.dumps({"team": team.pk, **ids}))
"""
# Methods are added by their owners, who have sessions; the codes come by mail and from the bot.
ADD_METHOD = """
from notifications.services.methods import add_method
from users.models import User
added = add_method(User.objects.get(email={email!r}), {kind!r}, {address!r})
print(added.method.pk, added.code)
"""
VERIFY = """
from notifications.models import ContactMethod
from notifications.services.methods import verify
print(verify(ContactMethod.objects.get(pk={pk}), {code!r}).state)
"""
LINK = """
from notifications.services.methods import link_by_code
print(link_by_code("slack", {address!r}, {code!r}).state)
"""


def run(server: Server) -> str:
    """A disk fills and Ana sleeps; another fills and she is awake."""
    slack = FakeSlack()
    slack.people.add(BEN_IN_SLACK)
    try:
        with Mailbox(server.folder) as mailbox, _Reaching(server, mailbox, slack):
            _set_up(server, mailbox)
            return _tour(server, mailbox, slack)
    finally:
        slack.stop()


def _tour(server: Server, mailbox: Mailbox, slack: FakeSlack) -> str:
    key = server.new_source("alertmanager", name="On call", team_id=_team(server))
    manager = Alertmanager(server.folder, webhook_configs=[{"url": f"{server.address}/intake/{key}/"}])
    with Disks() as disks, manager, prometheus(server.folder, disks, manager.address):
        disks.fill("sdx")
        begun = time.monotonic()
        ignored = incident_of(server, one_alert(server, "On call", "firing"))
        first = mailbox.wait_for(ANA, ignored["reference"])
        assert "Primary" in text_of(first), text_of(first)
        httpx2.get(answer_link(first)).raise_for_status()  # a scanner follows the link
        assert server.get(f"incidents/{ignored['id']}/")["status"] == "open"

        message = eventually(lambda: _message(slack, ignored), "a message in Slack", seconds=STEP_SECONDS + 30)
        waited = time.monotonic() - begun
        assert waited >= STEP_SECONDS, f"Ben was paged after {waited:.0f} s"
        took = _press(server, slack, message)
        pressed = server.get(f"incidents/{ignored['id']}/")
        assert pressed["status"] == "acknowledged", pressed["status"]
        eventually(lambda: _was_edited(slack, message), "the message in Slack to change", seconds=20)

    second = server.get("incidents/")  # nothing but the one incident
    assert len([one for one in second["results"] if one["team"]]) == 1, second
    answered = _answered_by_mail(server, mailbox)
    page = server.get(f"incidents/{ignored['id']}/escalation/")
    assert page["state"] == "acknowledged", page
    pages = [one["user"]["name"] if isinstance(one["user"], dict) else one["user"] for one in page["pages"]]
    assert len(pages) == 2, pages
    return f"Ana by mail, Ben in Slack after {waited:.0f} s, acknowledged by button in {took:.2f} s; {answered}"


def _answered_by_mail(server: Server, mailbox: Mailbox) -> str:
    """Open an incident, answer by the link in its mail, and see that nobody else is paged."""
    headers = {"Authorization": f"Token {server.token}"}
    new = {"title": "Disk sdy is full", "severity": "critical", "team": _team(server)}
    opened = httpx2.post(f"{server.address}/api/v1/incidents/", json=new, headers=headers).raise_for_status().json()
    mail = mailbox.wait_for(ANA, opened["reference"])
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    link = answer_link(mail)
    page = browser.open(link, timeout=10).read().decode()
    field = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert field and opened["reference"] in page, page
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": field.group(1)}).encode()
    browser.open(urllib.request.Request(link, form, {"Referer": link}), timeout=10).read()
    assert server.get(f"incidents/{opened['id']}/")["status"] == "acknowledged"
    time.sleep(STEP_SECONDS + 10)
    escalation = server.get(f"incidents/{opened['id']}/escalation/")
    assert (escalation["state"], len(escalation["pages"])) == ("acknowledged", 1), escalation
    return "answered by mail, nobody else was paged"


def _set_up(server: Server, mailbox: Mailbox) -> None:
    """Two people with verified methods, a schedule, and a policy of two steps."""
    people = _json(server.shell(NEW_PEOPLE))
    pk, _code = (server.shell(ADD_METHOD.format(email=ANA, kind="email", address=ANA)) + " ").split(" ", 1)
    code = re.search(r"\b(\d{6})\b", text_of(mailbox.wait_for(ANA, "code")))
    assert code, mailbox.subjects()
    assert server.shell(VERIFY.format(pk=pk, code=code.group(1))) == "ok"
    _pk, code_for_bot = server.shell(ADD_METHOD.format(email=BEN, kind="slack", address="")).split(" ", 1)
    assert server.shell(LINK.format(address=BEN_IN_SLACK, code=code_for_bot.strip())) == "ok"
    layer = {
        "name": "Always",
        "users": [[people["Ana"]]],
        "rotation": {"unit": "weeks", "every": 1},
        "starts_at": "2026-01-05T09:00:00",
        "hand_over": {"time": "09:00", "weekday": 0},
    }
    schedule = _post(
        server, "schedules/", name="Primary", team=people["team"], time_zone="Europe/Zurich", layers=[layer]
    )
    steps = [
        {"delay_minutes": 0, "targets": [{"kind": "schedule", "id": schedule["id"]}]},
        {"delay_minutes": 1, "targets": [{"kind": "user", "id": people["Ben"]}]},
    ]
    _post(server, "escalation-policies/", name="Storage", team=people["team"], steps=steps)


def _message(slack: FakeSlack, incident: dict[str, Any]) -> dict[str, Any] | None:
    return next((one for one in list(slack.posts) if incident["reference"] in str(one)), None)


def _press(server: Server, slack: FakeSlack, message: dict[str, Any]) -> float:
    """Press Acknowledge as Slack reports it; how long the answer took."""
    buttons = [
        element
        for block in message["blocks"]
        for element in block.get("elements", [])
        if element.get("type") == "button" and "acknowledge" in element.get("action_id", "")
    ]
    assert buttons, message
    body = slack.press(
        BEN_IN_SLACK, buttons[0]["action_id"], buttons[0]["value"], channel=message["in"], ts=message["ts"]
    )
    status, answer, took = deliver(f"{server.address}/integrations/slack/interactions", body)
    assert status == 200, (status, answer)
    assert took < 0.5, f"the button was answered after {took:.2f} s"
    return took


def _was_edited(slack: FakeSlack, message: dict[str, Any]) -> bool:
    shown = slack.messages[message["in"], message["ts"]]
    return "cknowledged" in str(shown.get("blocks"))


def _team(server: Server) -> int:
    return next(one["id"] for one in server.get("teams/")["results"] if one["name"] == "Storage")


def _post(server: Server, path: str, **body: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Token {server.token}"}
    answer = httpx2.post(f"{server.address}/api/v1/{path}", json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def _json(text: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(text)
    return found


class _Reaching(AbstractContextManager[None]):
    """The server, started anew with a mail server and Slack for as long as this is entered."""

    def __init__(self, server: Server, mailbox: Mailbox, slack: FakeSlack) -> None:
        self.server, self.former = server, dict(server.environment)
        self.environment = {
            "EMAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
            "DEFAULT_FROM_EMAIL": "incidents@on-call.example",
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": slack.api_url,
        }

    def __enter__(self) -> None:
        self.server.environment |= self.environment
        self.server.restart()

    def __exit__(self, *error: object) -> None:
        self.server.environment = self.former
        self.server.restart()
