import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from django.test import SimpleTestCase, TestCase, override_settings

from users import hashing
from users.hashing import HashingBusy, Line
from users.tests.factories import PASSWORD, make_admin, make_reporter

HASHER = "users.hashing.BoundedPBKDF2PasswordHasher"


class LineTests(SimpleTestCase):
    def test_it_serves_one_lets_one_wait_and_turns_the_third_away(self) -> None:
        line, order = Line(at_once=1, waiting=1), []

        def come() -> None:
            with line.turn():
                order.append("second")

        with ThreadPoolExecutor(1) as executor:
            with line.turn():
                second = executor.submit(come)
                while line._places._value:  # until the second has its place
                    time.sleep(0.01)
                with self.assertRaises(HashingBusy):
                    line.turn().__enter__()
                order.append("first")
            second.result(10)

        self.assertEqual(order, ["first", "second"])

    def test_it_turns_those_away_who_waited_too_long(self) -> None:
        line = Line(at_once=1, waiting=1)

        with mock.patch.object(hashing, "WAIT_SECONDS", 0.01), line.turn(), self.assertRaises(HashingBusy):
            line.turn().__enter__()

    def test_it_leaves_a_quarter_of_the_threads_to_others(self) -> None:
        for threads in (1, 2, 8, 64):
            with self.subTest(threads), override_settings(WEB_THREADS=threads):
                hashing.line.cache_clear()
                self.addCleanup(hashing.line.cache_clear)
                places = 0
                while hashing.line()._places.acquire(blocking=False):
                    places += 1

                self.assertLessEqual(places, max(2, threads * 3 // 4))


class BoundedTests(TestCase):
    """Whoever hashes a password while the line is full hears so, and when to come again."""

    def setUp(self) -> None:
        self.reporter, self.admin = make_reporter(email="rita@example.com"), make_admin(email="ada@example.com")
        full = Line(at_once=1, waiting=0)
        turn = full.turn()
        turn.__enter__()
        self.addCleanup(turn.__exit__, None, None, None)
        patch = mock.patch.object(hashing, "line", return_value=full)
        patch.start()
        self.addCleanup(patch.stop)

    @override_settings(PASSWORD_HASHERS=[HASHER])
    def test_it_answers_the_api_with_503(self) -> None:
        forms = {
            "token": {"email": "nobody@example.com", "password": PASSWORD},
            "register": {"email": "new@example.com", "password": "a fine long secret", "name": "New"},
        }
        for route, form in forms.items():
            with self.subTest(route):
                answer = self.client.post(f"/api/v1/auth/{route}/", form, content_type="application/json")

                self.assertEqual((answer.status_code, answer.json()["code"]), (503, "busy"))
                self.assertTrue(answer["Retry-After"].isdigit())

    @override_settings(PASSWORD_HASHERS=[HASHER])
    def test_it_answers_the_sign_in_page_with_503(self) -> None:
        answer = self.client.post("/sign-in/", {"email": "nobody@example.com", "password": PASSWORD})

        self.assertContains(answer, "try again", status_code=503)
        self.assertTrue(answer["Retry-After"].isdigit())
