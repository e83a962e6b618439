"""The containers' files agree with the program."""

import re

import yaml
from django.apps import apps
from django.test import SimpleTestCase

from core.server.jobs import all_groups
from tests.databases import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "dockerfile").read_text(encoding="utf-8")
PREFIX = "incident_response."


class ComposeTests(SimpleTestCase):
    def celery_workers(self):
        return {
            name: service
            for name, service in COMPOSE["services"].items()
            if service.get("command", [""])[0] == "celery"
        }

    def test_it_has_a_celery_worker_for_each_group_of_jobs_which_is_judged_by_that_group(self):
        found = {
            service["command"][service["command"].index("--queues") + 1]: service["healthcheck"]["test"][-1]
            for service in self.celery_workers().values()
        }

        self.assertEqual(found, {f"{PREFIX}{group}": group for group in all_groups()})

    def test_it_starts_celery_only_where_a_profile_asks_for_it_and_one_broker_with_each(self):
        profiles = {name: service.get("profiles", []) for name, service in COMPOSE["services"].items()}

        for name in self.celery_workers():
            self.assertEqual(profiles[name], ["celery", "celery-redis"])
        self.assertEqual((profiles["rabbitmq"], profiles["redis"]), (["celery"], ["celery-redis"]))
        self.assertEqual(
            {name for name, given in profiles.items() if not given}, {"database", "migrate", "web", "worker"}
        )

    def test_it_gives_all_processes_the_same_engine_and_broker(self):
        ours = [service for service in COMPOSE["services"].values() if service["image"] == "incident-response"]

        self.assertEqual(len(ours), 5)
        for service in ours:
            self.assertEqual(service["environment"]["ENGINE"], "${ENGINE:-embedded}")
            self.assertIn("rabbitmq:5672", service["environment"]["BROKER_URL"])


class DockerfileTests(SimpleTestCase):
    def test_it_copies_every_app_and_compiles_it(self):
        ours = {one.name for one in apps.get_app_configs() if (ROOT / one.name).is_dir()}

        copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
        compiled = set(re.search(r"compileall -q ([\w ]+)", DOCKERFILE).group(1).split())

        self.assertEqual((ours | {"agent"}) - copied, set())  # machines fetch the agent from here
        self.assertEqual(ours - compiled, set())

    def test_it_installs_the_extras_that_settings_ask_for(self):
        for extra in ("mysql", "s3", "aws", "celery"):
            self.assertIn(f"-r /tmp/requirements-{extra}.txt", DOCKERFILE)
