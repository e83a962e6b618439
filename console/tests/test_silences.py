import datetime as dt

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from alerts.models import Silence
from alerts.tests.factories import fire, make_silence, make_source
from users.models import Role
from users.tests.factories import make_responder, make_user

NEW = "console:silence-new"
HOSTILE = "<script>alert(1)</script>\"'>{{ 7*7 }}"


def given(**changes):
    """The form as a browser sends it."""
    return {
        "matchers_name": ["host", "", ""],
        "matchers_op": ["=", "=", "="],
        "matchers_value": ["db-3", "", ""],
        "comment": "Disk swap",
        "starts_at": "",
        "ends_at": f"{timezone.now() + dt.timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "starts_time": "",
        "ends_time": "",
        "time_zone": "UTC",
        **changes,
    }


class SilenceCase(TestCase):
    def setUp(self):
        self.me = make_responder()
        self.client.force_login(self.me)


class WriteTests(SilenceCase):
    def test_it_stores_what_the_form_says(self):
        response = self.client.post(reverse(NEW), given())

        silence = Silence.objects.get()
        self.assertRedirects(response, reverse("console:silence", args=[silence.pk]))
        self.assertEqual(silence.matchers, [{"name": "host", "op": "=", "value": "db-3"}])
        self.assertEqual((silence.comment, silence.created_by), ("Disk swap", self.me))

    def test_it_repeats_weekly_in_its_zone(self):
        times = {"weekdays": ["0", "6"], "starts_time": "22:00", "ends_time": "00:00", "time_zone": "Asia/Tokyo"}

        self.client.post(reverse(NEW), given(**times))

        silence = Silence.objects.get()
        self.assertEqual((silence.weekdays, silence.time_zone), ([0, 6], "Asia/Tokyo"))
        self.assertEqual((silence.starts_time, silence.ends_time), (dt.time(22), dt.time(0)))

    def test_it_reads_times_in_the_persons_zone(self):
        self.me.time_zone = "America/New_York"
        self.me.save()

        self.client.post(reverse(NEW), given(starts_at="2027-01-10T08:00", ends_at="2027-01-10T09:00"))

        self.assertEqual(Silence.objects.get().starts_at, dt.datetime(2027, 1, 10, 13, tzinfo=dt.UTC))

    def test_it_says_what_is_wrong_and_keeps_what_was_entered(self):
        table = {
            "no matcher": {"matchers_name": [""], "matchers_op": ["="], "matchers_value": [""]},
            "asks for nothing": {"matchers_name": ["team"], "matchers_op": ["=~"], "matchers_value": [".*"]},
            "no pattern": {"matchers_name": ["team"], "matchers_op": ["=~"], "matchers_value": ["["]},
            "ends before it starts": {"ends_at": "2020-01-01T00:00"},
            "no end": {"ends_at": ""},
            "times without days": {"starts_time": "22:00"},
        }
        for name, changes in table.items():
            with self.subTest(name):
                response = self.client.post(reverse(NEW), given(**changes))

                self.assertContains(response, "Disk swap", status_code=422)
                self.assertTrue(response.context["form"].errors)
        self.assertFalse(Silence.objects.exists())

    def test_it_begins_with_an_alert_or_a_label(self):
        alert = fire(make_source(name="Prom"), "disk", labels={"host": "db-3"})

        like = self.client.get(f"{reverse(NEW)}?alert={alert.pk}")
        named = self.client.get(f"{reverse(NEW)}?name=host&value=db-3")

        self.assertContains(like, 'value="Prom"')
        self.assertEqual(like.context["preview"].count, 1)
        self.assertEqual(named.context["preview"].count, 1)

    def test_it_previews_what_it_would_silence(self):
        fire(make_source(), "disk", labels={"host": "db-3"})
        url = reverse("console:silence-preview")

        one = self.client.post(url, given())
        none = self.client.post(url, given(matchers_value=["db-4", "", ""]))
        broken = self.client.post(url, given(matchers_op=["=~", "=", "="], matchers_value=["[", "", ""]))

        self.assertEqual((one.context["preview"].count, one.context["preview"].held), (1, 1))
        self.assertEqual(none.context["preview"].count, 0)
        self.assertContains(broken, "regular expression")
        self.assertFalse(Silence.objects.exists())

    def test_it_edits_until_it_is_over(self):
        silence = make_silence(("host", "=", "db-1"), comment="Old")
        over = make_silence(("a", "=", "b"), ends_at=timezone.now() - dt.timedelta(seconds=1))

        done = self.client.post(reverse("console:silence-edit", args=[silence.pk]), given(comment="New"))
        refused = self.client.post(reverse("console:silence-edit", args=[over.pk]), given())

        silence.refresh_from_db()
        self.assertEqual((done.status_code, refused.status_code, silence.comment), (302, 409, "New"))
        self.assertEqual(silence.matchers[0]["value"], "db-3")

    def test_it_ends_now(self):
        silence = make_silence(("host", "=", "db-1"))

        self.client.post(reverse("console:silence-end", args=[silence.pk]))

        silence.refresh_from_db()
        self.assertLessEqual(silence.ends_at, timezone.now())


class ReadTests(SilenceCase):
    def test_it_tells_active_upcoming_and_ended_apart(self):
        now, day = timezone.now(), dt.timedelta(days=1)
        make_silence(("a", "=", "1"))
        make_silence(("a", "=", "2"), starts_at=now + day, ends_at=now + 2 * day)
        make_silence(("a", "=", "3"), starts_at=now - day, ends_at=now + day, weekdays=[(now.weekday() + 3) % 7])
        make_silence(("a", "=", "4"), starts_at=now - 2 * day, ends_at=now - day)

        present = self.client.get(reverse("console:silences"))
        ended = self.client.get(reverse("console:silences") + "?is_ended=true")

        self.assertEqual([one["state"] for one in present.context["silences"]], ["between", "upcoming", "active"])
        self.assertEqual([one["state"] for one in ended.context["silences"]], ["ended"])

    def test_it_draws_month_and_week(self):
        make_silence(("a", "=", "1"), comment=HOSTILE)
        for query in ("", "?view=week", "?at=2026-02-28", "?view=week&at=2027-12-31"):
            with self.subTest(query=query):
                response = self.client.get(reverse("console:silence-calendar") + query)

                self.assertEqual(response.status_code, 200)
                self.assertNotContains(response, "<script>alert(1)")
        self.assertContains(
            self.client.get(reverse("console:silence-calendar")), "class=&quot;bar&quot;".replace("&quot;", '"')
        )

    def test_it_refuses_days_that_are_none(self):
        for day in ("tomorrow", "2026-13-01", "0001-01-01", "9999-12-31"):
            response = self.client.get(f"{reverse('console:silence-calendar')}?at={day}")

            self.assertEqual(response.status_code, 400)

    def test_it_is_for_responders(self):
        silence = make_silence(("a", "=", "1"))
        for role, status in ((Role.REPORTER, 403), (Role.RESPONDER, 200), (Role.ADMIN, 200)):
            self.client.force_login(make_user(role=role))
            for url in (
                reverse("console:silences"),
                reverse(NEW),
                reverse("console:silence-calendar"),
                reverse("console:silence", args=[silence.pk]),
                reverse("console:silence-edit", args=[silence.pk]),
            ):
                with self.subTest(role=role, url=url):
                    self.assertEqual(self.client.get(url).status_code, status)
        self.client.force_login(make_user(role=Role.REPORTER))
        self.assertEqual(self.client.post(reverse("console:silence-end", args=[silence.pk])).status_code, 403)
        self.assertEqual(self.client.post(reverse(NEW), given()).status_code, 403)
