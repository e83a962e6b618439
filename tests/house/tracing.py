"""What one request costs: the functions of ours that run for it, and the SQL statements.

In one process on a new SQLite database, through the ASGI application and its threads, as a server runs them. Each
request is sent twice first, so that what is kept for the next one is there. A function counts once, however often it is
called; comprehensions and lambdas belong to the function they stand in. A statement is what a cursor is given, BEGIN
and SAVEPOINT too, but not COMMIT, which the driver does.
"""

import asyncio
import io
import os
import re
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import orjson
from PIL import Image

from tests.__main__ import secrets
from tests.house.sources import ROOT, packages

WARM_UP = 2
PASSWORD = "a-long-enough-pass-phrase"
BOUNDARY = "boundary-of-this-form"
ALERT = {
    "version": "4",
    "status": "firing",
    "receiver": "incidents",
    "externalURL": "http://alertmanager.example.org",
    "groupLabels": {"alertname": "DiskFull"},
    "commonLabels": {"alertname": "DiskFull", "severity": "critical"},
    "commonAnnotations": {"summary": "Disk almost full"},
    "truncatedAlerts": 0,
}


@dataclass
class Trace:
    """What ran: functions as file:line name, and statements; each in the order in which it came first."""

    functions: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)


class Tracer:
    """Notes what every thread does while it is on."""

    def __init__(self) -> None:
        self.is_on = False
        self.codes: dict[CodeType, None] = {}
        self.statements: list[str] = []
        self.ours = tuple(f"{ROOT / name}{os.sep}" for name in packages())

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if self.is_on and event == "call" and code.co_filename.startswith(self.ours):
            self.codes[code] = None

    def watch(self, connection: Any, **_kwargs: object) -> None:
        if self.execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.execute)

    def execute(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if self.is_on:
            self.statements.append(sql)
        return execute(sql, *arguments)

    def trace(self, action: Callable[[int], None]) -> Trace:
        """Run the action until it is warm, then once more, traced. Its argument numbers the runs."""
        for number in range(WARM_UP):
            action(number)
        self.codes, self.statements, self.is_on = {}, [], True
        sys.setprofile(self.profile)
        try:
            action(WARM_UP)
        finally:
            sys.setprofile(None)
            self.is_on = False
        return Trace([_name(code) for code in self.codes if not code.co_name.startswith("<")], self.statements)


class Client:
    """Calls the ASGI application as a server does, one request after the other."""

    def __init__(self, application: Callable[..., Awaitable[None]], runner: asyncio.Runner) -> None:
        self.application = application
        self.runner = runner

    def post(self, path: str, body: bytes | dict[str, Any], media_type: str = "application/json", **more: str) -> Any:
        """Return the JSON of the answer, which must say that all went well; `more` are headers."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"host": "localhost", "content-type": media_type, "content-length": str(len(content)), **more}
        status, answer = self.runner.run(self._call(path, headers, content))
        if not 200 <= status < 300:
            raise RuntimeError(f"POST {path} was answered {status}: {answer.decode(errors='replace')[:500]}")
        return orjson.loads(answer)

    async def _call(self, path: str, headers: dict[str, str], content: bytes) -> tuple[int, bytes]:
        messages = [{"type": "http.request", "body": content, "more_body": False}]
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop() if messages else await asyncio.Future()  # stays connected

        async def send(message: dict[str, Any]) -> None:
            answers.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("localhost", 80),
        }
        await self.application(scope, receive, send)
        return answers[0]["status"], b"".join(answer.get("body", b"") for answer in answers)


def report() -> tuple[Trace, Trace]:
    """Return what a new incident with a picture costs, and an Alertmanager's alert as far as its incident."""
    tracer = Tracer()
    with _project(tracer) as application, asyncio.Runner() as runner:
        client = Client(application, runner)
        traces = tracer.trace(_report_incident(client)), tracer.trace(_send_alert(client))
        _require_incidents(2 * (WARM_UP + 1))
        return traces


@contextmanager
def _project(tracer: Tracer) -> Iterator[Callable[..., Awaitable[None]]]:
    """Set the project up on a database of its own; its application."""
    with tempfile.TemporaryDirectory(prefix="house-", ignore_cleanup_errors=True) as folder:
        os.environ |= secrets() | {
            "DJANGO_SETTINGS_MODULE": "incident_response.settings",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "MEDIA_ROOT": f"{folder}/media",
            "STATIC_ROOT": folder,
            "S3_BUCKET": "",
            "PLAIN_HTTP": "true",
            "DEBUG": "false",
            "LOG_LEVEL": "ERROR",
        }
        import django
        from django.core.management import call_command
        from django.db.backends.signals import connection_created

        django.setup()
        connection_created.connect(tracer.watch)
        call_command("migrate", verbosity=0)
        threading.setprofile(tracer.profile)  # before the application starts its threads
        try:
            from incident_response.asgi import application

            yield application
        finally:
            threading.setprofile(None)


def _report_incident(client: Client) -> Callable[[int], None]:
    authorization = _sign_in(client, "reporter")
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "blue").save(picture, "PNG")
    parts = [
        b'name="title"\r\n\r\nCheckout is down',
        b'name="severity"\r\n\r\nhigh',
        b'name="attachments"; filename="shot.png"\r\nContent-Type: image/png\r\n\r\n' + picture.getvalue(),
    ]
    start = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
    form = b"".join(start + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()

    def report_incident(number: int) -> None:
        media_type = f"multipart/form-data; boundary={BOUNDARY}"
        key = f"report-{number}"
        client.post("/api/v1/incidents/", form, media_type, authorization=authorization, idempotency_key=key)

    return report_incident


def _send_alert(client: Client) -> Callable[[int], None]:
    from django.utils import timezone

    authorization = _sign_in(client, "admin")
    source = {"name": "Alertmanager", "kind": "alertmanager"}
    made = client.post("/api/v1/sources/", source, authorization=authorization)
    [path] = re.findall(rf"https?://[^/\s]+(/\S*{made['key']}\S*)", made["snippet"])
    process_intake = _job("process_intake")

    def send_alert(number: int) -> None:
        labels = {"alertname": f"DiskFull{number}", "instance": "db-3", "severity": "critical"}
        alert = {
            "status": "firing",
            "labels": labels,
            "annotations": {"summary": "Disk almost full", "description": "4 % left on db-3"},
            "startsAt": timezone.now().isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.org/graph?g0.expr=disk",
            "fingerprint": f"aaaa00000000000{number}",
        }
        group = {
            "groupKey": f'{{}}:{{alertname="DiskFull{number}"}}',
            "groupLabels": {"alertname": labels["alertname"]},
        }
        client.post(path, {**ALERT, **group, "alerts": [alert]})
        process_intake(timezone.now())

    return send_alert


def _require_incidents(wanted: int) -> None:
    from django.apps import apps

    found = apps.get_model("incidents", "Incident").objects.count()
    if found != wanted:
        raise RuntimeError(f"The requests opened {found} incidents instead of {wanted}.")


def _sign_in(client: Client, role: str) -> str:
    from django.contrib.auth import get_user_model

    users: Any = get_user_model().objects
    who = {"email": f"{role}@example.org", "password": PASSWORD}
    (users.create_superuser if role == "admin" else users.create_user)(**who)
    return f"Bearer {client.post('/api/v1/auth/token/', who)['access']}"


def _job(name: str) -> Callable[..., int]:
    """Return the job of this name, whichever app has it."""
    from importlib import import_module
    from importlib.util import find_spec

    modules = (f"{package}.jobs" for package in packages() if find_spec(f"{package}.jobs"))
    [job] = [getattr(module, name) for module in map(import_module, modules) if hasattr(module, name)]
    return job


def _name(code: CodeType) -> str:
    return f"{Path(code.co_filename).relative_to(ROOT)}:{code.co_firstlineno} {code.co_qualname}"
