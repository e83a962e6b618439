import os
import queue
import socket
from unittest import mock

from django.db import transaction
from django.test import SimpleTestCase, TransactionTestCase

from core.server import jobs
from core.server.jobs import wake
from core.server.wakeups import RECEIVER, SENDER, receive_wakeups, send, send_wakeups


def make_pair(test):
    receiver, sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    test.addCleanup(receiver.close)
    test.addCleanup(sender.close)
    sender.setblocking(False)
    return receiver, sender


class SendTests(SimpleTestCase):
    def test_it_never_waits_for_a_worker_that_does_not_listen(self):
        receiver, sender = make_pair(self)

        for _ in range(2000):
            send(sender, frozenset({"one"}))
        receiver.close()
        send(sender, frozenset({"one"}))

    def test_it_does_nothing_where_serve_did_not_start_the_process(self):
        self.enterContext(mock.patch.object(jobs, "_wakers", []))
        self.enterContext(mock.patch.dict(os.environ))
        os.environ.pop(SENDER, None)

        send_wakeups()

        self.assertEqual(jobs._wakers, [])


class BothEndsTests(TransactionTestCase):
    def test_it_tells_the_worker_of_a_commit_and_of_no_rollback(self):
        heard = queue.Queue()
        receiver, sender = make_pair(self)
        self.enterContext(mock.patch.object(jobs, "_wakers", []))
        numbers = {SENDER: str(sender.detach()), RECEIVER: str(receiver.detach())}
        self.enterContext(mock.patch.dict(os.environ, numbers))
        send_wakeups()
        receive_wakeups(heard.put)

        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            wake("undone")
            _ = 1 / 0
        with transaction.atomic():
            wake("one", "two")

        self.assertEqual(heard.get(timeout=5), ["one", "two"])
        self.assertNotIn(SENDER, os.environ)
