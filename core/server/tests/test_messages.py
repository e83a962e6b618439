import socket
import threading
import time
from unittest import mock, skipUnless

from django.test import SimpleTestCase

from core.server import jobs as registry
from core.server.jobs import Job
from core.server.tests.engines import CeleryCase, RabbitCase, RedisCase, start_worker
from tests.reported import reported_failure

if start_worker:
    from core.server import messages
    from core.server.messages import Broker, BrokerAway, Publisher, run_job


class Unresponsive:
    """A port that accepts connections and never answers, or one that refuses them."""

    def __init__(self, test, accepts):
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        if accepts:
            test.addCleanup(listener.close)
        else:
            listener.close()


class BrokerCase(CeleryCase):
    def setUp(self):
        super().setUp()
        self.job = Job("job", lambda now: 0, 1)
        registry.register_jobs(self.job)
        self.log = self.enterContext(mock.patch.object(messages, "log"))

    def messages_waiting(self):
        with messages.celery_app().connection_for_write() as connection:
            queue = messages._queue("general")(connection.channel())
            found = []
            queue.declare()
            while (message := queue.get(no_ack=True)) is not None:
                found.append(message)
        return found

    def make_broker(self):
        broker = Broker()
        self.addCleanup(broker.close)
        self.addCleanup(self.delete_queues, messages.celery_app())
        return broker


class SendTests(BrokerCase):
    @reported_failure(11)
    def test_it_sends_the_name_alone_to_run_now_or_never(self):
        self.make_broker().send([self.job])

        (message,) = self.messages_waiting()
        self.assertEqual(message.payload[:2], [["job"], {}])
        self.assertIsNone(message.headers["eta"])
        self.assertIsNotNone(message.headers["expires"])

    def test_it_stops_sending_while_no_worker_takes_messages(self):
        self.enterContext(mock.patch.object(messages, "LONGEST_QUEUE", 5))
        broker = self.make_broker()

        with mock.patch.object(messages, "RETRY_SECONDS", 0):
            for _ in range(20):
                broker.send([self.job])

        self.assertEqual(len(self.messages_waiting()), 5)


class RedisSendTests(SendTests, RedisCase):
    pass


class RabbitSendTests(SendTests, RabbitCase):
    pass


@skipUnless(start_worker, "Celery is not installed")
class AwayTests(BrokerCase):
    def point_at(self, scheme, accepts):
        messages.celery_app.cache_clear()
        port = Unresponsive(self, accepts).port
        self.enterContext(self.settings(BROKER_URL=f"{scheme}://127.0.0.1:{port}/"))
        self.enterContext(mock.patch.object(messages, "PATIENCE_SECONDS", 0.3))

    def test_it_says_within_bounded_time_that_a_broker_does_not_answer_and_logs_it_once(self):
        for scheme in ("amqp", "redis"):
            for accepts in (False, True):
                with self.subTest(scheme=scheme, accepts=accepts):
                    self.log.error.reset_mock()
                    self.point_at(scheme, accepts)
                    broker = Broker()

                    begun = time.monotonic()
                    for _ in range(20):
                        self.assertRaises(BrokerAway, broker.send, [self.job])
                    broker._retry_at = 0.0
                    self.assertRaises(BrokerAway, broker.send, [self.job])

                    self.assertLess(time.monotonic() - begun, 5)
                    self.log.error.assert_called_once()

    def test_it_tells_when_the_broker_is_back(self):
        self.point_at("redis", accepts=False)
        broker = Broker()
        self.assertRaises(BrokerAway, broker.send, [self.job])
        messages.celery_app.cache_clear()

        with self.settings(BROKER_URL="memory://"):
            broker._retry_at = 0.0
            broker.send([self.job])

        self.assertIsNone(broker.away_since)
        self.assertEqual(self.log.warning.call_args.args, ("broker_back",))


@skipUnless(start_worker, "Celery is not installed")
class PublisherTests(SimpleTestCase):
    def test_it_never_keeps_a_transaction_waiting_and_gathers_names(self):
        sent, release = [], threading.Event()

        class Slow:
            def send(self, jobs):
                sent.append([job.name for job in jobs])
                release.wait(10)
                raise BrokerAway

            def close(self):
                pass

        publisher = Publisher(Slow)
        self.enterContext(mock.patch.object(registry, "_jobs", {n: Job(n, lambda now: 0, 1) for n in ("a", "b")}))
        publisher.wake({"a"})
        while not sent:
            time.sleep(0.001)

        begun = time.monotonic()
        for _ in range(1000):
            publisher.wake({"a", "b", "unknown"})
        waited = time.monotonic() - begun
        release.set()
        while len(sent) < 2:
            time.sleep(0.001)
        publisher.stop()

        self.assertLess(waited, 2)
        self.assertEqual(sent, [["a"], ["a", "b"]])


@skipUnless(start_worker, "Celery is not installed")
class RunJobTests(CeleryCase):
    def test_it_passes_over_a_job_of_another_version(self):
        with mock.patch.object(messages, "log") as log:
            run_job("no_longer_here")

        log.warning.assert_called_once_with("unknown_job", job="no_longer_here")


@skipUnless(start_worker, "Celery is not installed")
class ConfigurationTests(CeleryCase):
    def test_it_keeps_results_nowhere_and_takes_one_message_at_a_time_until_it_is_done(self):
        registry.register_jobs(Job("one", lambda now: 0, 1), Job("two", lambda now: 0, 1, "slow"))

        conf = messages.celery_app().conf

        self.assertTrue(conf.task_acks_late and conf.task_ignore_result and conf.task_time_limit)
        self.assertEqual((conf.worker_prefetch_multiplier, conf.result_backend), (1, None))
        self.assertEqual([queue.name for queue in conf.task_queues], [f"{self.prefix}general", f"{self.prefix}slow"])
        self.assertEqual(
            {queue.routing_key for queue in conf.task_queues}, {f"{self.prefix}general", f"{self.prefix}slow"}
        )
