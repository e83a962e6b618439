"""What runs jobs, for tests that hold whatever it is."""

import contextlib
import socket
import threading
import time
import uuid
from unittest import mock, skipUnless

from django.test import SimpleTestCase, override_settings

from core.server import jobs as registry
from core.server.jobs import all_groups
from core.server.worker import Runner, work

try:
    from celery.contrib.testing.worker import start_worker
    from celery.worker import state

    from core.server import messages, ticker
except ImportError:
    start_worker = None

STOP_SECONDS = 8.0


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class EngineCase(SimpleTestCase):
    """Runs jobs in threads of this process; outcomes are kept in `recorded` instead of the database."""

    databases = {"default"}

    def setUp(self):
        self.recorded = []
        record = lambda runner, now, *, error, at_once=False: self.recorded.append((runner.job.name, error))  # noqa: E731
        self.enterContext(mock.patch.object(Runner, "_record", record))
        self.enterContext(mock.patch("core.server.worker.close_old_connections"))
        self.enterContext(mock.patch("core.server.worker.log"))
        self.enterContext(mock.patch.object(registry, "_wakers", []))
        self.enterContext(mock.patch.object(registry, "_jobs", {}))

    @contextlib.contextmanager
    def running(self, *jobs, only=()):
        """Run the registered jobs, or some groups of them."""
        registry.register_jobs(*jobs)
        with self.engine(registry.jobs_of(only)):
            yield

    @contextlib.contextmanager
    def engine(self, jobs, run=work):
        stopping, ended = threading.Event(), []
        thread = threading.Thread(target=lambda: ended.append(run(jobs, stopping.wait, STOP_SECONDS)))
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(STOP_SECONDS)
        self.assertEqual(ended, [True])


@skipUnless(start_worker, "Celery is not installed")
class CeleryCase(EngineCase):
    """Runs jobs by a Celery worker and a ticker, over a broker within this process."""

    url = "memory://"

    def setUp(self):
        super().setUp()
        self.enterContext(override_settings(BROKER_URL=self.url))
        self.prefix = f"test-{uuid.uuid4().hex}."
        self.enterContext(mock.patch.multiple(messages, PREFIX=self.prefix, EXCHANGE=f"{self.prefix}exchange"))
        self.enterContext(mock.patch.object(messages, "publisher", messages.Publisher()))
        self.enterContext(mock.patch.object(ticker.Ticker, "_overdue", lambda ticker: []))
        for cached in (messages.celery_app, messages._locks, messages._runner):
            cached.cache_clear()
            self.addCleanup(cached.cache_clear)

    @contextlib.contextmanager
    def engine(self, jobs):
        app = messages.celery_app()
        app.conf.broker_transport_options = {"polling_interval": 0.02}
        registry.register_waker(messages.publisher.wake)
        queues = [messages._queue_name(group) for group in sorted({job.group for job in jobs})]
        worker = start_worker(
            app, pool="threads", concurrency=8, perform_ping_check=False, queues=queues, loglevel="ERROR"
        )
        with worker, super().engine(jobs, run=ticker.tick):
            try:
                yield
            finally:
                finish_tasks()
        state.should_stop = None  # else the next worker stops at once
        messages.publisher.stop()
        self.delete_queues(app)

    def delete_queues(self, app):
        with app.connection_for_write() as connection:
            channel = connection.channel()
            for group in all_groups():
                channel.queue_delete(messages._queue_name(group))
            channel.exchange_delete(messages.EXCHANGE)


def finish_tasks():
    """Take no further messages and wait for what is under way, as a worker does on SIGTERM."""
    state.should_stop = 0
    deadline = time.monotonic() + STOP_SECONDS
    while state.active_requests and time.monotonic() < deadline:
        time.sleep(0.01)


@skipUnless(listens(6379), "nothing listens on 127.0.0.1:6379")
class RedisCase(CeleryCase):
    url = "redis://127.0.0.1:6379/15"


@skipUnless(listens(5672), "nothing listens on 127.0.0.1:5672")
class RabbitCase(CeleryCase):
    url = "amqp://guest:guest@127.0.0.1:5672//"
