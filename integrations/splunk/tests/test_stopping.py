"""A worker, as a process, told to stop beside a search that stalls; another counts what it left, once."""

import datetime as dt
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from e2e.stand_ins.serving import Reply, Request
from e2e.stand_ins.splunk import EXPORT_V2, TOKEN, Splunk
from integrations.splunk import client
from logs.models import DetectionRule
from logs.sources.outside import Limits
from logs.tests.stores import make_outside_rule
from tests.databases import server_url

INTERVAL, EVENTS = 60, 3
PATIENCE = 120  # seconds, for processes on a busy machine


class Stalling(Splunk):
    """Answers no search until told."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_answer = Event(), Event()

    def answer(self, request: Request) -> tuple[Reply, bool]:
        if request.path == EXPORT_V2:
            self.is_asked.set()
            self.may_answer.wait(PATIENCE)
        return super().answer(request)


class StoppingTests(TransactionTestCase):
    def setUp(self) -> None:
        client.version.cache_clear()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.splunk = self.enterContext(Stalling())
        self.addCleanup(self.splunk.may_answer.set)
        with self.settings(SPLUNK_URL=self.splunk.url, SPLUNK_TOKEN=TOKEN):
            make_outside_rule(store="splunk", query="level=ERROR", threshold=1, group_by=["number"])
        now = int(timezone.now().timestamp()) // INTERVAL * INTERVAL
        since, self.until = (dt.datetime.fromtimestamp(now - back, dt.UTC) for back in (INTERVAL, 0))
        for number in range(EVENTS):
            self.splunk.add(since + dt.timedelta(seconds=number), f"level=ERROR number={number}")
        DetectionRule.objects.filter(store="splunk").update(evaluated_until=since, next_run_at=since)
        self.url = self.share_database()

    def share_database(self) -> str:
        """Return the address of the test's database for other processes: a copy of one in memory."""
        if connection.vendor == "mysql":
            return f"{server_url().rsplit('/', 1)[0]}/{connection.settings_dict['NAME']}"
        file = self.folder / "db.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(file)])
        return f"sqlite:///{file}"

    def rows(self, statement: str) -> list[Any]:
        if connection.vendor == "mysql":
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        with sqlite3.connect(self.folder / "db.sqlite3", timeout=30) as database:
            return database.execute(statement).fetchall()

    def start_worker(self) -> subprocess.Popen[bytes]:
        own = {"DATABASE_URL": self.url, "MEDIA_ROOT": str(self.folder), "STATUS_ROOT": str(self.folder / "status")}
        keys = {"SECRET_KEY": settings.SECRET_KEY, "HISTORY_KEY": settings.HISTORY_KEY, "PLAIN_HTTP": "true"}
        splunk = {"SPLUNK_URL": self.splunk.url, "SPLUNK_TOKEN": TOKEN, "SPLUNK_LAG_SECONDS": "1"}
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=settings.BASE_DIR,
            env={**os.environ, **own, **keys, **splunk},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        return worker

    def stop(self, worker: subprocess.Popen[bytes]) -> tuple[int, float]:
        """Return the worker's exit code, and the seconds that it took."""
        told = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        return worker.wait(PATIENCE), time.monotonic() - told

    def wait_until_evaluated(self) -> None:
        ends = time.monotonic() + PATIENCE
        known = f"SELECT 1 FROM logs_detectionrule WHERE evaluated_until >= '{self.until:%Y-%m-%d %H:%M:%S}'"
        while not self.rows(known):
            self.assertLess(time.monotonic(), ends)
            time.sleep(0.2)

    def fired(self) -> Counter[str]:
        bodies = [json.loads(body) for (body,) in self.rows("SELECT body FROM intake_intakeevent")]
        updates = [update for body in bodies for update in body if update["action"] == "fire"]
        return Counter(update["labels"].get("number", update["title"]) for update in updates)

    def test_it_stops_soon_and_leaves_the_window_to_another(self):
        first = self.start_worker()
        self.assertTrue(self.splunk.is_asked.wait(PATIENCE))

        code, seconds = self.stop(first)
        self.splunk.may_answer.set()
        second = self.start_worker()
        self.wait_until_evaluated()
        self.stop(second)

        self.assertEqual((code, self.fired()), (0, Counter({str(number): 1 for number in range(EVENTS)})))
        self.assertLess(seconds, Limits().seconds / 2)  # a busy machine's; else it takes about five
