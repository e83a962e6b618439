"""Jobs on Celery: a message only says that a job should run now."""

import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import structlog
from celery import Celery
from celery.signals import worker_process_init, worker_shutting_down
from django.conf import settings
from django.db import connections
from django.utils import timezone
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError

from core.server.exclusion import JobLocks
from core.server.jobs import GATHER_SECONDS, Job, all_groups, all_jobs, stopping_by
from core.server.worker import Runner

log = structlog.get_logger(__name__)

TASK = "run_job"
EXPIRE_SECONDS = 30  # an older message says nothing that newer ones do not
LONGEST_QUEUE = 200  # while no worker takes them
RETRY_SECONDS = 1.0  # between attempts to connect
PATIENCE_SECONDS = 2.0  # for the broker's answers
SOFT_LIMIT_SECONDS, LIMIT_SECONDS = 600, 660  # of a run, where the pool is of processes
PREFIX = "incident_response."  # of queues
EXCHANGE = "incident_response"


_stopping = threading.Event()


class BrokerAway(Exception):
    """The broker does not answer; nothing was sent."""


@cache
def celery_app() -> Celery:
    """Return the application; all jobs must be registered."""
    app = Celery("incident_response", broker=settings.BROKER_URL, fixups=[], set_as_current=False)
    app.conf.update(
        task_queues=[_queue(group) for group in all_groups()],
        task_create_missing_queues=False,
        task_default_queue=_queue_name(all_groups()[0]),
        task_default_delivery_mode="transient",
        task_ignore_result=True,
        task_acks_late=True,
        task_soft_time_limit=SOFT_LIMIT_SECONDS,
        task_time_limit=LIMIT_SECONDS,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,  # health is what the database saw
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,  # a second run is harmless
        broker_connection_timeout=PATIENCE_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_heartbeat=20,
    )
    app.task(name=TASK, shared=False)(run_job)
    return app


def _queue_name(group: str) -> str:
    return f"{PREFIX}{group}"


def _queue(group: str) -> Any:
    name = _queue_name(group)
    make_exchange: Any = Exchange
    make_queue: Any = Queue
    exchange = make_exchange(EXCHANGE, type="direct")
    return make_queue(name, exchange, routing_key=name, message_ttl=EXPIRE_SECONDS, max_length=LONGEST_QUEUE)


@cache
def _locks() -> JobLocks:
    return JobLocks([job.name for job in all_jobs()])


@cache
def _runner(name: str) -> Runner | None:
    job = next((job for job in all_jobs() if job.name == name), None)
    return Runner(job, threading.Event()) if job else None


def prepare_worker() -> None:
    """Prepare what the pool's processes share, before it starts them."""
    _locks()
    worker_process_init.connect(_forget_connections)
    worker_shutting_down.connect(_note_stopping)


def _note_stopping(**kwargs: Any) -> None:
    _stopping.set()


def _forget_connections(**kwargs: Any) -> None:
    connections.close_all()


def run_job(name: str) -> None:
    """Run a job now, if it is not running on this machine."""
    runner = _runner(name)
    if runner is None:
        log.warning("unknown_job", job=name)  # of another version
        return
    with stopping_by(_stopping):
        has_run = _locks().run(name, lambda: runner.run_if_rested(timezone.now()))
    if has_run and not runner.failures:
        publisher.wake({name})


class Broker:
    """A connection for sending, opened when first used."""

    def __init__(self, app: Callable[[], Celery] = celery_app, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app, self._monotonic = app, monotonic
        self._producer: Any = None
        self._retry_at = 0.0
        self._lengths: dict[str, tuple[float, int]] = {}
        self.away_since: float | None = None

    def send(self, jobs: Iterable[Job]) -> None:
        """Ask for runs. Raises BrokerAway, at once for a while after the broker did not answer."""
        now = self._monotonic()
        if now < self._retry_at:
            raise BrokerAway
        try:
            for job in jobs:
                if not self._is_full(job.group, now):
                    self._send(job)
        except self._errors() as error:
            self.close()
            self._retry_at = self._monotonic() + RETRY_SECONDS
            if self.away_since is None:
                self.away_since = now
                log.error("broker_away", error=str(error) or type(error).__name__)
            raise BrokerAway from error
        if self.away_since is not None:
            log.warning("broker_back", seconds=round(self._monotonic() - self.away_since, 1))
            self.away_since = None

    def _send(self, job: Job) -> None:
        producer = self._connected()
        task = self._app().tasks[TASK]
        queue = _queue_name(job.group)
        task.apply_async((job.name,), queue=queue, producer=producer, expires=EXPIRE_SECONDS, retry=False)

    def _is_full(self, group: str, now: float) -> bool:
        """Return whether enough waits already, for brokers that do not limit queues; asked once a second."""
        read, length = self._lengths.get(group, (-RETRY_SECONDS, 0))
        if now - read >= RETRY_SECONDS:
            length = _queue(group)(self._connected().channel).queue_declare().message_count
            self._lengths[group] = (now, length)
        return length >= LONGEST_QUEUE

    def _connected(self) -> Any:
        if self._producer is None:
            connection = self._app().connection_for_write(
                connect_timeout=PATIENCE_SECONDS, transport_options=_limits(settings.BROKER_URL), heartbeat=0
            )
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            self._producer = self._app().amqp.Producer(connection.channel(), auto_declare=True)
        return self._producer

    def close(self) -> None:
        producer, self._producer, self._lengths = self._producer, None, {}
        if producer is not None:
            producer.connection.collect(PATIENCE_SECONDS)  # closes without waiting for the other side

    def _errors(self) -> tuple[type[BaseException], ...]:
        connection = self._app().connection_for_write()
        return (OSError, KombuError, *connection.connection_errors, *connection.channel_errors)


def _limits(url: str) -> dict[str, float]:
    """Return the transport's options that bound each wait."""
    names = (
        ("read_timeout", "write_timeout") if url.startswith("amqp") else ("socket_timeout", "socket_connect_timeout")
    )
    return dict.fromkeys(names, PATIENCE_SECONDS)


class Publisher:
    """Sends wake-ups from a thread, so that no transaction waits for the broker; without one, drops them."""

    def __init__(self, broker: Callable[[], Broker] = Broker) -> None:
        self._make_broker = broker
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._has_names = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    def wake(self, names: Iterable[str]) -> None:
        with self._lock:
            self._names |= set(names)
            if self._thread is None or not self._thread.is_alive():  # also after a fork
                self._thread = threading.Thread(target=self._loop, args=(self._make_broker(),), name="publisher")
                self._thread.daemon = True
                self._thread.start()
        self._has_names.set()

    def stop(self) -> None:
        """Send nothing more."""
        self._is_stopping = True
        self._has_names.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self, broker: Broker) -> None:
        while self._has_names.wait() and not self._is_stopping:
            self._has_names.clear()
            with self._lock:
                names, self._names = self._names, set()
            try:
                broker.send([job for job in all_jobs() if job.name in names])
            except BrokerAway:
                pass  # the jobs look by themselves
            time.sleep(GATHER_SECONDS)
        broker.close()


publisher = Publisher()
