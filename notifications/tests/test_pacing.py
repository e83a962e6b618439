from django.test import SimpleTestCase

from notifications.pacing import Limit, gap_seconds, lower, parse_limits, refilled, remembered, retry_seconds, words_of


class RetryTests(SimpleTestCase):
    def test_it_doubles_within_bounds_and_spreads(self):
        for attempt, chance, expected in (
            (1, 0.5, 5),
            (2, 0.5, 10),
            (3, 0.5, 20),
            (20, 0.5, 300),
            (1, 0, 3.5),
            (1, 1, 6.5),
        ):
            with self.subTest(attempt=attempt, chance=chance):
                self.assertAlmostEqual(retry_seconds(attempt, chance), expected)

    def test_it_does_as_the_provider_wishes_within_reason(self):
        for wish, expected in ((90, 90), (0, 1), (10**9, 12 * 3600)):
            self.assertEqual(retry_seconds(1, 0.5, wish), expected)


class LimitTests(SimpleTestCase):
    def test_it_reads_limits(self):
        limits = parse_limits(["sms=60/min", " voice=1/s ", "email=1000/hour"])

        self.assertEqual(limits, {"sms": Limit(60, 60), "voice": Limit(1, 1), "email": Limit(1000, 3600)})
        self.assertEqual([words_of(limit) for limit in limits.values()], ["60 a minute", "1 a second", "1,000 an hour"])

    def test_it_refuses_what_is_no_limit(self):
        for word in ("sms", "sms=60", "sms=0/min", "sms=60/day", "sms=-1/min", "=60/min"):
            with self.subTest(word=word):
                self.assertRaises(ValueError, parse_limits, [word])

    def test_it_refills_by_the_time_up_to_a_sixth(self):
        for allowance, elapsed, expected in ((0, 0, 0), (0, 3, 3), (5, 100, 10), (10, 0, 10), (2, -5, 2)):
            with self.subTest(allowance=allowance, elapsed=elapsed):
                self.assertEqual(refilled(allowance, elapsed, Limit(60, 60)), expected)

    def test_it_takes_the_stricter_of_two(self):
        self.assertEqual(lower(Limit(60, 60), 30), Limit(30, 60))
        self.assertEqual(lower(Limit(10, 60), 30), Limit(10, 60))
        self.assertEqual(lower(None, 30), Limit(30, 60))
        self.assertIsNone(lower(None, None))


class GapTests(SimpleTestCase):
    def test_it_lets_the_first_out_at_once_and_then_fewer_and_fewer(self):
        for kind, level, expected in (
            *(("page", level, gap) for level, gap in enumerate((0, 3, 10, 20, 40, 60, 60))),
            *(("update", level, gap) for level, gap in enumerate((0, 60, 120, 300, 300))),
            ("code", 5, 0),
        ):
            with self.subTest(kind=kind, level=level):
                self.assertEqual(gap_seconds(kind, level), expected)

    def test_it_forgets_a_persons_messages_one_by_one_and_a_rooms_together(self):
        for kind, level, elapsed, is_room, expected in (
            ("page", 3, 59, False, 3),
            ("page", 3, 60, False, 2),
            ("page", 90, 120, False, 3),
            ("page", 1, 3600, False, 0),
            ("update", 2, 299, False, 2),
            ("update", 2, 300, False, 1),
            ("page", 12, 600, True, 12),
            ("page", 12, 601, True, 0),
        ):
            with self.subTest(kind=kind, level=level, elapsed=elapsed, is_room=is_room):
                self.assertEqual(remembered(kind, level, elapsed, is_room=is_room), expected)

    def test_it_sends_few_messages_in_a_storm_however_many_pages_it_brings(self):
        sent, level = [0], 1
        for second in range(1, 301):
            elapsed = second - sent[-1]
            now = remembered("page", level, elapsed)
            if elapsed >= gap_seconds("page", now):
                sent.append(second)
                level = now + 1

        self.assertEqual(sent, [0, 3, 13, 33, 73, 133, 193, 253])

    def test_it_lets_rooms_have_ten(self):
        self.assertEqual([gap_seconds("page", level, is_room=True) for level in (0, 9, 10)], [0, 0, 60])
