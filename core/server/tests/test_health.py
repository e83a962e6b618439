import datetime as dt
from unittest import mock

from django.core.files.base import ContentFile
from django.db import OperationalError
from django.test import TestCase, override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import JobRun
from core.server import checks, database_checks, jobs
from core.server.condition import Unhealthy
from core.server.jobs import GENERAL, Job, all_jobs
from core.server.supervisor import Failing, last_report
from tests.reported import reported_failure
from users.models import Role, User


class ProbeTests(TestCase):
    def setUp(self):
        fresh = {"storage": checks.StorageCheck(), "worker": checks.WorkerCheck(), "writes": checks.WriteCheck()}
        self.enterContext(mock.patch.dict(checks.CHECKS, fresh))

    def make_run(self, seconds_ago=0):
        moment = timezone.now() - dt.timedelta(seconds=seconds_ago)
        groups = {job.group: job.name for job in all_jobs()} | {GENERAL: "assign_feed"}
        return [JobRun.objects.create(name=name, started_at=moment, succeeded_at=moment) for name in groups.values()]

    def test_it_is_live_without_a_database(self):
        with self.assertNumQueries(0):
            response = self.client.get("/livez")

        self.assertEqual((response.status_code, response.content), (200, b"ok\n"))

    def test_it_is_ready_when_all_is_well(self):
        self.make_run()

        response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 200, response.content)

    def test_it_is_not_ready_without_a_worker(self):
        for run in (None, self.make_run(seconds_ago=16)):
            with self.subTest(run=run):
                response = self.client.get("/readyz")

                self.assertEqual(response.status_code, 503)
                self.assertIn("worker: failed", response.content.decode())

    def test_it_is_not_ready_when_no_worker_runs_one_group_of_jobs(self):
        slow = [Job("slow_one", lambda now: 0, 1, "slow"), Job("slow_two", lambda now: 0, 1, "slow")]
        self.make_run()
        self.enterContext(mock.patch.dict(jobs._jobs, {job.name: job for job in slow}))
        found = []

        for seconds_ago in (None, 61, 3):
            if seconds_ago is not None:
                moment = timezone.now() - dt.timedelta(seconds=seconds_ago)
                JobRun.objects.update_or_create(name="slow_two", defaults={"started_at": moment})
            found.append(self.client.get("/readyz").content.decode())

        self.assertIn("worker: failed (No worker that runs slow jobs has run yet", found[0])
        self.assertIn("worker: failed (No worker that runs slow jobs was seen for 61 seconds.)", found[1])
        self.assertIn("worker: ok", found[2])

    @reported_failure(11)
    def test_it_is_not_ready_when_a_worker_lives_and_one_of_its_frequent_jobs_does_not(self):
        self.make_run()
        moment = timezone.now() - dt.timedelta(seconds=checks.STUCK_SECONDS + 1)
        for name in ("mark_breaches", "sweep_files"):
            JobRun.objects.create(name=name, started_at=moment, succeeded_at=moment)

        response = self.client.get("/readyz")

        self.assertIn("worker: failed (The job mark_breaches has not run for 301 seconds.)", response.content.decode())

    def test_it_takes_no_check_of_ours_for_a_worker(self):
        checks.CHECKS["writes"]()

        self.assertIn("worker: failed (No worker has run yet", self.client.get("/readyz").content.decode())

    def test_it_is_not_ready_when_the_worker_ends_as_often_as_it_is_started(self):
        self.make_run()
        failing = [Failing("web-2", 1, 2), Failing("worker", -9, 6)]

        with mock.patch.object(last_report, "failing", failing):
            response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 503)
        self.assertIn("ended 6 times soon after its start, the last time with exit code -9", response.content.decode())

    def test_it_is_not_ready_when_nothing_can_be_written(self):
        self.make_run()
        read_only = OperationalError(1290, "--read-only")

        with mock.patch.object(database_checks, "_write", side_effect=read_only), mock.patch("core.db.outages.log"):
            response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 503)
        self.assertIn(
            "writes: failed (The database does not accept writes: it is read-only.)", response.content.decode()
        )
        self.assertIn("worker: ok", response.content.decode())

    def test_it_logs_no_line_for_each_probe(self):
        with self.assertNoLogs("django.request"):
            response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 503)

    def test_it_answers_what_was_found_where_somebody_looks_all_the_time(self):
        watch = checks.Watch(lambda begin: {"worker": {"status": "failed", "detail": "Gone."}})
        watch.is_running = True
        watch.look()

        with mock.patch.object(checks, "watch", watch), self.assertNumQueries(0):
            response = self.client.get("/readyz")

        self.assertEqual((response.status_code, response.content), (503, b"worker: failed (Gone.)\n"))

    def test_it_is_not_ready_without_a_database(self):
        away = OperationalError(2003, "Can't connect to secret host")
        with (
            mock.patch("django.db.backends.utils.CursorWrapper.execute", side_effect=away),
            mock.patch("core.db.outages.log"),
        ):
            response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 503)
        self.assertIn("database: failed", response.content.decode())
        self.assertNotIn("secret host", response.content.decode())

    def test_it_is_not_ready_with_waiting_migrations(self):
        with (
            mock.patch.dict(checks.CHECKS, migrations=checks.MigrationCheck()),
            mock.patch.object(checks.MigrationExecutor, "migration_plan", return_value=[("m", False)]),
        ):
            response = self.client.get("/readyz")

        self.assertIn("migrations: failed (1 migrations", response.content.decode())

    def test_it_is_not_ready_when_files_cannot_be_stored(self):
        with mock.patch.object(checks.default_storage, "save", side_effect=OSError(28, "full")):
            response = self.client.get("/readyz")

        self.assertEqual(response.status_code, 503)
        self.assertIn("storage: failed", response.content.decode())

    def test_it_tells_programs_the_same(self):
        self.make_run()

        body = self.client.get("/health/").json()

        self.assertEqual(body["status"], "ok", body)
        self.assertEqual(set(body), {"status", "timestamp", "version", "uptime_seconds", "checks"})
        self.assertEqual(set(body["checks"]), set(checks.CHECKS))
        self.assertLessEqual({"database", "worker", "feed", "intake", "deliveries"}, set(checks.CHECKS))

    @override_settings(SECURE_SSL_REDIRECT=True)
    def test_it_never_sends_probes_to_https(self):
        self.make_run()

        codes = {path: self.client.get(path).status_code for path in ("/livez", "/readyz", "/health/", "/metrics")}

        self.assertEqual(codes, {"/livez": 200, "/readyz": 200, "/health/": 200, "/metrics": 404})


class MetricsTests(TestCase):
    def test_it_is_closed_without_a_token(self):
        with override_settings(METRICS_TOKEN=""):
            response = self.client.get("/metrics", headers={"Authorization": "Bearer "})

        self.assertEqual(response.status_code, 404)

    @override_settings(METRICS_TOKEN="right-token")
    def test_it_opens_only_to_the_bearer(self):
        codes = [
            self.client.get("/metrics", headers={"Authorization": given}).status_code
            for given in ("", "Bearer wrong", "Basic right-token", "Bearer ünicode", "Bearer right-token")
        ]

        self.assertEqual(codes, [401, 401, 401, 401, 200])

    @override_settings(METRICS_TOKEN="right-token")
    def test_it_speaks_prometheus(self):
        moment = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
        JobRun.objects.create(name="assign_feed", started_at=moment, succeeded_at=moment)

        text = self.client.get("/metrics", headers={"Authorization": "Bearer right-token"}).content.decode()

        self.assertIn('incident_response_job_succeeded_timestamp_seconds{job="assign_feed"} 1.8', text)


class SystemInfoTests(TestCase):
    def test_it_informs_administrators_only(self):
        codes = []
        for role in (Role.REPORTER, Role.RESPONDER, Role.ADMIN):
            user = User.objects.create_user(f"{role}@example.org", name="A", role=role)
            codes.append(self.ask(user).status_code)

        self.assertEqual(codes, [403, 403, 200])
        self.assertEqual(self.client.get("/api/v1/system/info/").status_code, 401)

    def test_it_shows_no_secret(self):
        admin = User.objects.create_superuser("admin@example.org", name="A")

        with override_settings(METRICS_TOKEN="metrics-secret"):
            response = self.ask(admin)

        text = response.content.decode()
        shown = response.json()["settings"]
        self.assertNotIn("metrics-secret", text)
        self.assertFalse([name for name in shown if "KEY" in name or name in ("DATABASE_URL", "EMAIL_URL")])

    def ask(self, user):
        client = APIClient()
        client.force_authenticate(user)
        return client.get("/api/v1/system/info/")


class StorageCheckTests(TestCase):
    def test_it_leaves_nothing_behind_and_asks_seldom(self):
        check = checks.StorageCheck()

        with mock.patch.object(checks.default_storage, "save", wraps=checks.default_storage.save) as save:
            check()
            check()

        self.assertEqual(save.call_count, 1)
        self.assertEqual(checks.default_storage.listdir("probe")[1], [])

    def test_it_leaves_nothing_behind_when_the_disk_is_full(self):
        def save_half(name, content):
            real(name, ContentFile(b"pro"))
            raise OSError(28, "No space left on device")

        real = checks.default_storage.save
        with mock.patch.object(checks.default_storage, "save", side_effect=save_half):
            for _probe in range(3):
                self.assertRaises(Unhealthy, checks.StorageCheck())

        self.assertEqual(checks.default_storage.listdir("probe")[1], [])
