from unittest import mock

from django.test import SimpleTestCase

from notifications.channels.phone import receipts


class ReceiptTests(SimpleTestCase):
    def test_it_waits_for_the_worker_to_store_the_id(self):
        answers = iter([False, False, True])
        with mock.patch.object(receipts, "PAUSES", (0, 0, 0)):
            receipts.record_when_known(lambda: next(answers))

        self.assertRaises(StopIteration, lambda: next(answers))
