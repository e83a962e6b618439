import threading
from unittest import mock

from django.test import SimpleTestCase

from core.server import watch as module
from core.server.watch import PATIENCE_SECONDS, Watch

OK = {"status": "ok", "detail": "fine"}
FAILED = {"status": "failed", "detail": "It is not."}


class WatchTests(SimpleTestCase):
    def setUp(self):
        self.now = 100.0
        self.found = {"worker": OK}
        self.log = self.enterContext(mock.patch.object(module, "log"))

    def make(self, checks=None):
        return Watch(checks or (lambda begin: self.found), monotonic=lambda: self.now)

    def test_it_keeps_what_it_found(self):
        watch = self.make()
        before = watch.outcomes()

        watch.look()

        self.assertEqual((before, watch.outcomes(), watch.has_looked.is_set()), (None, {"worker": OK}, True))

    def test_it_says_that_a_check_does_not_come_back(self):
        hanging, release = threading.Event(), threading.Event()
        rounds = iter([False, True])

        def checks(begin):
            begin("database")
            if next(rounds):
                hanging.set()
                release.wait(30)
            return {"database": OK, "worker": OK}

        watch = self.make(checks)
        watch.look()
        thread = threading.Thread(target=watch.look)
        thread.start()
        hanging.wait(30)

        at_first = watch.outcomes()
        self.now += PATIENCE_SECONDS + 2
        later = watch.outcomes()
        release.set()
        thread.join()

        self.assertEqual(at_first, {"database": OK, "worker": OK})
        self.assertEqual(
            later,
            {"database": {"status": "failed", "detail": "There has been no answer for 7 seconds."}, "worker": OK},
        )
        self.assertEqual(watch.outcomes(), at_first)

    def test_it_is_loud_once_about_what_stays_wrong_and_once_when_it_is_well_again(self):
        watch = self.make()
        self.found = {"worker": FAILED, "database": FAILED}
        for _round in range(10):
            watch.look()
            self.now += 2
        self.found = {"worker": OK, "database": OK}
        watch.look()
        watch.look()

        self.log.error.assert_called_once_with("not_ready", check="worker", reason="It is not.")
        self.log.warning.assert_called_once_with("ready_again", check="worker")

    def test_it_says_nothing_of_what_passes_at_once(self):
        watch = self.make()
        for self.found in ({"worker": FAILED}, {"worker": OK}, {"worker": FAILED}, {"worker": OK}):
            watch.look()
            self.now += module.LOUD_SECONDS - 1

        self.log.error.assert_not_called()

    def test_it_goes_on_whatever_a_check_raises(self):
        rounds = []

        def checks(begin):
            rounds.append(1)
            if len(rounds) == 1:
                raise ValueError("nobody thought of it")
            return {"worker": OK}

        watch = self.make(checks)
        self.addCleanup(watch.stop)
        with mock.patch.object(module, "EVERY_SECONDS", 0.01):
            watch.start()
            watch.start()
            is_looking = watch.has_looked.wait(30)

        self.assertTrue(is_looking)
        self.log.error.assert_called_once_with("check_broken", exc_info=mock.ANY)
