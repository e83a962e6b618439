"""Messages for tests of channels."""

from dataclasses import replace
from typing import Any

from notifications.channels.port import Button, Message

BUTTONS = (
    Button("acknowledge", "Acknowledge"),
    Button("resolve", "Resolve"),
    Button("take", "Take it"),
    Button("note", "Add note"),
)
PAGE = Message(
    key="page-1",
    kind="page",
    title="Checkout refuses cards",
    body="p95 < 2 s & rising",
    lines=("You are on call: Primary, layer Weekdays, until Mon 09:00", "Next: Ben in 5 minutes"),
    incident=1042,
    reference="INC-1042",
    severity="critical",
    status="open",
    url="https://incidents.example.org/incidents/INC-1042/",
    answer_url="https://incidents.example.org/a/token/",
    buttons=BUTTONS,
)
EXTREMES = (
    PAGE,
    replace(PAGE, title="x" * 5000, body="&<>" * 9000, lines=tuple("é&" * 900 for _ in range(90))),
    replace(PAGE, title="", body="", lines=(), severity="", status="", url="", answer_url="", buttons=()),
    replace(PAGE, body="🔥" * 9000, lines=("😀" * 4000,) * 30),
    replace(PAGE, title='"\\`*_[]() <!channel> <@U1>', body="</b><script>"),
    replace(PAGE, incident=None, reference="", count=20, title="20 incidents"),
    replace(PAGE, status="resolved"),
    replace(PAGE, kind="notice", status="", buttons=(Button("approve_run", "Approve", f"{10**17}:{'a' * 16}"),)),
    replace(PAGE, severity="mystery", status="weird_state"),
)


def page(**changes: Any) -> Message:
    return replace(PAGE, **changes)
