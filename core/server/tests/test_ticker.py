import datetime as dt
from unittest import mock, skipUnless

from django.db import OperationalError
from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from core.models import JobRun
from core.server.jobs import Job
from core.server.tests.engines import start_worker

if start_worker:
    from core.server import ticker
    from core.server.messages import BrokerAway
    from core.server.ticker import SUBSTITUTE_SECONDS, Ticker, tick


def make_job(name, interval):
    return Job(name, lambda now: 0, interval)


@skipUnless(start_worker, "Celery is not installed")
class DueTests(TestCase):
    def due(self, ticker, now):
        return {job.name for job in ticker.due(now)}

    def test_it_asks_for_frequent_jobs_at_their_intervals(self):
        ticker = Ticker([make_job("often", 0.25), make_job("each second", 1)])

        found = [self.due(ticker, 100 + seconds) for seconds in (0, 0.2, 0.5, 1, 9)]

        both = {"often", "each second"}
        self.assertEqual(found, [both, set(), {"often"}, both, both])

    def test_it_asks_for_a_rare_job_until_the_database_shows_that_it_ran(self):
        ticker = Ticker([make_job("hourly", 3600)])

        found = [self.due(ticker, 100), self.due(ticker, 101), self.due(ticker, 131)]
        run = JobRun.objects.create(name="hourly", started_at=timezone.now())
        found.append(self.due(ticker, 162))
        run.started_at -= dt.timedelta(hours=1)
        run.save(update_fields=["started_at"])
        found.append(self.due(ticker, 193))

        self.assertEqual(found, [{"hourly"}, set(), {"hourly"}, set(), {"hourly"}])

    def test_it_goes_on_without_a_database(self):
        found = Ticker([make_job("often", 1), make_job("hourly", 3600)])

        with (
            mock.patch.object(JobRun.objects, "values_list", side_effect=OperationalError(2003, "away")),
            mock.patch("core.db.outages.log"),
        ):
            self.assertEqual(self.due(found, 100), {"often"})


@skipUnless(start_worker, "Celery is not installed")
class TickTests(SimpleTestCase):
    def tick(self, outcomes):
        """Tick once a second for each outcome of sending."""
        clock, events, told = [0.0], [], iter(outcomes)
        broker = mock.Mock(away_since=None)

        def send(jobs):
            if next(told):
                broker.away_since = None
                return
            broker.away_since = broker.away_since if broker.away_since is not None else clock[0]
            raise BrokerAway

        def is_told_to_stop(seconds):
            clock[0] += 1
            return clock[0] > len(outcomes)

        broker.send.side_effect = send
        runners = mock.Mock()
        runners.start.side_effect = lambda: events.append(("start", clock[0]))
        runners.stop.side_effect = lambda grace: events.append(("stop", clock[0])) or True
        with (
            mock.patch.object(ticker, "Broker", return_value=broker),
            mock.patch.object(ticker, "Runners", return_value=runners),
            mock.patch.object(ticker.time, "monotonic", lambda: clock[0]),
            mock.patch.object(ticker, "log"),
            mock.patch.object(ticker, "ClockCheck"),
            mock.patch.object(ticker.Ticker, "_overdue", lambda ticker: []),
        ):
            is_clean = tick([make_job("often", 1)], is_told_to_stop, 5.0)
        self.assertTrue(is_clean)
        return events

    def test_it_leaves_the_jobs_to_celery_while_the_broker_answers_or_is_away_for_a_moment(self):
        self.assertEqual(self.tick([True, False, False, False, True, True]), [])

    def test_it_runs_the_jobs_itself_while_the_broker_is_away(self):
        away = int(SUBSTITUTE_SECONDS) + 3

        events = self.tick([True, *[False] * away, True, True])

        self.assertEqual(events, [("start", 2 + SUBSTITUTE_SECONDS), ("stop", away + 2.0)])

    def test_it_finishes_what_it_runs_itself_when_told_to_stop(self):
        events = self.tick([False] * 9)

        self.assertEqual([kind for kind, _ in events], ["start", "stop"])
