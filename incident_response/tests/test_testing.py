import pickle
import unittest
import warnings

from django.test import SimpleTestCase

from incident_response.testing import RemoteResult, counts_of, make_warnings_errors


class Sample(unittest.TestCase):
    def test_passes(self):
        pass

    def test_fails_twice(self):
        for number in range(2):
            with self.subTest(number=number):
                self.fail()

    def test_errs(self):
        raise ZeroDivisionError

    @unittest.skip("because")
    def test_is_skipped(self):
        pass


class BrokenClass(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise ZeroDivisionError

    def test_never_runs(self):
        pass


def load_tests(loader, tests, pattern):
    """Keep the samples above out of the real suite."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (CountTests, RemoteTests, WarningTests))


class CountTests(SimpleTestCase):
    def count(self, *cases):
        result = unittest.TestResult()
        unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases).run(result)
        return counts_of(result)

    def test_it_counts_tests_not_their_parts(self):
        self.assertEqual(self.count(Sample), {"passed": 1, "failed": 2, "skipped": 1})

    def test_it_counts_a_class_that_broke(self):
        self.assertEqual(self.count(Sample, BrokenClass), {"passed": 1, "failed": 3, "skipped": 1})


class Unsendable(unittest.TestCase):
    def test_fails_with_a_local_function(self):
        self.handler = lambda: None
        with self.subTest("part"):
            self.fail()


class RemoteTests(SimpleTestCase):
    def test_it_sends_failed_subtests_of_tests_that_cannot_be_sent(self):
        result = RemoteResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Unsendable).run(result)

        (sent,) = [event for event in result.events if event[0] == "addSubTest"]
        plain = pickle.loads(pickle.dumps(sent[2]))

        self.assertIn("[part]", str(plain))
        self.assertTrue(plain.test_id.endswith("test_fails_with_a_local_function"))


class WarningTests(SimpleTestCase):
    def test_it_fails_on_warnings_of_our_own_code(self):
        with warnings.catch_warnings():
            make_warnings_errors()

            with self.assertRaises(DeprecationWarning):
                warnings.warn("old", DeprecationWarning, stacklevel=1)
