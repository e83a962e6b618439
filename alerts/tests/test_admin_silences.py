import datetime as dt

from django.urls import reverse
from django.utils import timezone

from alerts.models import Silence
from alerts.tests.back_office import BackOfficeCase
from alerts.tests.factories import make_silence

ADD = "admin:alerts_silence_add"


class SilenceTests(BackOfficeCase):
    def setUp(self) -> None:
        self.sign_in(self.responder)

    def form(self, **changes: object) -> dict[str, object]:
        return {
            "matchers": "host=db-3",
            "comment": "Rewiring",
            "starts_at_0": "2027-01-04",
            "starts_at_1": "08:00",
            "ends_at_0": "2027-02-04",
            "ends_at_1": "08:00",
            "weekdays": ["5", "6"],
            "starts_time": "22:00",
            "ends_time": "04:30",
            "time_zone": "Europe/Zurich",
            **changes,
        }

    def test_it_lets_responders_make_one(self) -> None:
        self.client.post(reverse(ADD), self.form())

        silence = Silence.objects.get()
        self.assertEqual(silence.matchers, [{"name": "host", "op": "=", "value": "db-3"}])
        self.assertEqual((silence.weekdays, silence.created_by), ([5, 6], self.responder))
        self.assertEqual((silence.starts_time, silence.ends_time), (dt.time(22), dt.time(4, 30)))

    def test_it_says_in_which_zone_times_are_entered(self) -> None:
        self.responder.time_zone = "Asia/Tokyo"
        self.responder.save()

        for url in (reverse(ADD), reverse("admin:alerts_route_try")):
            with self.subTest(url):
                self.assertContains(self.client.get(url), "Times are in Asia/Tokyo")

    def test_it_says_what_is_wrong(self) -> None:
        cases = {
            "required": {"matchers": ""},
            "Line 1": {"matchers": "nonsense"},
            "Ask for a value": {"matchers": 'team=~".*"'},
            "contradict each other": {"matchers": "a=1\na=2"},
            "a look-ahead": {"matchers": 'a=~"(?!b)c"'},
            "must end after it starts": {"ends_at_0": "2027-01-03"},
            "Select the weekdays": {"weekdays": []},
            "366 days": {"ends_at_0": "2029-01-03"},
        }

        for sentence, changes in cases.items():
            with self.subTest(sentence):
                answer = self.client.post(reverse(ADD), self.form(**changes))

                self.assertContains(answer, sentence)
                self.assertFalse(Silence.objects.exists())

    def test_it_lets_responders_change_none(self) -> None:
        silence = make_silence(("a", "=", "b"), created_by=self.responder)

        answers = [
            self.client.post(self.page(silence), self.form()).status_code,
            self.client.post(self.page(silence, "delete"), {"post": "yes"}).status_code,
        ]

        self.assertEqual(answers, [403, 403])
        self.assertTrue(Silence.objects.filter(matchers=silence.matchers).exists())

    def test_it_lets_nobody_delete_one(self) -> None:
        self.sign_in(self.admin)
        silence = make_silence(("a", "=", "b"))

        answer = self.client.post(self.page(silence, "delete"), {"post": "yes"})

        self.assertEqual(answer.status_code, 403)
        self.assertTrue(Silence.objects.filter(pk=silence.pk).exists())

    def test_it_ends_those_that_are_ones_own(self) -> None:
        mine, other = (make_silence(("a", "=", "b"), created_by=user) for user in (self.responder, self.admin))

        answer = self.client.post(
            self.list_of("silence"), {"action": "end_now", "_selected_action": [mine.pk, other.pk]}
        )

        now = timezone.now()
        self.assertEqual(list(Silence.objects.filter(ends_at__lte=now)), [mine])
        self.assertIn("1 silence ended", self.messages(answer))
        self.assertIn("1 skipped", self.messages(answer))

    def test_it_tells_which_are_active(self) -> None:
        now = timezone.now()
        hour = dt.timedelta(hours=1)
        make_silence(("a", "=", "b"), comment="Present")
        make_silence(("a", "=", "b"), comment="Next", starts_at=now + hour, ends_at=now + 2 * hour)
        make_silence(("a", "=", "b"), comment="Past", starts_at=now - 2 * hour, ends_at=now - hour)
        make_silence(("a", "=", "b"), comment="Weekly", ends_at=now + 9 * 24 * hour, weekdays=[(now.weekday() + 3) % 7])

        shown = {
            query: [silence.comment for silence in self.listed("silence", query)]
            for query in ("", "?time=over", "?time=any")
        }
        text = self.client.get(f"{self.list_of('silence')}?time=any").content.decode()

        self.assertEqual(shown[""], ["Weekly", "Next", "Present"])
        self.assertEqual((shown["?time=over"], len(shown["?time=any"])), (["Past"], 4))
        for word in ("active", "planned", "expired", "inactive until its next time"):
            self.assertIn(f">{word}<", text)

    def test_it_costs_the_same_at_any_number(self) -> None:
        self._grow(10)
        few = len(self.queries(self.list_of("silence")))
        self._grow(190)

        self.assertEqual(len(self.queries(self.list_of("silence"))), few)

    def _grow(self, number: int) -> None:
        for _ in range(number):
            make_silence(("a", "=", "b"), created_by=self.admin)

    def test_it_tells_responders_in_words(self) -> None:
        silence = make_silence(("host", "=~", "db-.*"), weekdays=[5, 6], created_by=self.admin)

        answer = self.client.get(self.page(silence))

        self.assertContains(answer, "host=~&quot;db-.*&quot;")
        self.assertContains(answer, "Sat, Sun")
        self.assertNotContains(answer, reverse("admin:users_user_change", args=[self.admin.pk]))
        self.assertNotContains(answer, "&quot;op&quot;")
