import os
import socket
from unittest import mock

from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase, override_settings

from core.management.commands import serve
from core.management.commands.serve import address_of, beside, listen, prepare, web_children
from core.server.wakeups import RECEIVER, SENDER


class ListenTests(SimpleTestCase):
    def test_it_says_in_one_sentence_that_a_port_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]

            with self.assertRaisesMessage(CommandError, f"Port {port} on 127.0.0.1 is taken; choose another"):
                call_command("serve", port=port)

    def test_it_waits_a_moment_for_who_is_about_to_let_go_of_the_port(self):
        other = socket.create_server(("127.0.0.1", 0))
        port = other.getsockname()[1]

        with mock.patch.object(serve.time, "sleep", side_effect=lambda seconds: other.close()):
            listener = listen("127.0.0.1", port)

        self.addCleanup(listener.close)
        self.assertEqual(listener.getsockname()[1], port)

    def test_it_says_what_is_wrong_with_an_address(self):
        for host, port, message in (
            ("no.such.host.invalid", 8000, "There is no address named no.such.host.invalid."),
            ("127.0.0.1", 99999, "99999 is not a valid port"),
            ("192.0.2.1", 8000, "Cannot listen on 192.0.2.1"),
        ):
            with self.subTest(host=host, port=port), self.assertRaisesMessage(CommandError, message):
                listen(host, port)

    def test_it_shows_an_address_that_can_be_opened(self):
        shown = [address_of(host, 8000) for host in ("127.0.0.1", "0.0.0.0", "::", "::1", "localhost")]

        self.assertEqual(
            shown,
            [
                "http://127.0.0.1:8000",
                "http://127.0.0.1:8000",
                "http://[::1]:8000",
                "http://[::1]:8000",
                "http://localhost:8000",
            ],
        )

    def test_it_shares_one_socket_among_the_processes(self):
        with listen("127.0.0.1", 0) as listener:
            children = web_children(listener, 3, "http://127.0.0.1:1")

            self.assertEqual([child.name for child in children], ["web-1", "web-2", "web-3"])
            self.assertEqual({tuple(child.pass_fds) for child in children}, {(listener.fileno(),)})

    def test_it_bounds_the_arenas_of_memory_unless_told_otherwise(self):
        found = []
        for given in ({}, {"MALLOC_ARENA_MAX": "7"}):
            with listen("127.0.0.1", 0) as listener, mock.patch.dict(os.environ, given):
                if not given:
                    os.environ.pop("MALLOC_ARENA_MAX", None)
                found.append(web_children(listener, 1, "http://127.0.0.1:1")[0].env["MALLOC_ARENA_MAX"])

        self.assertEqual(found, ["2", "7"])


class BesideTests(SimpleTestCase):
    def make_worker(self, **options):
        listener = self.enterContext(listen("127.0.0.1", 0))
        web = web_children(listener, 2, "http://127.0.0.1:1")
        worker = beside(web, {"only": [], "leave_out": [], **options})
        for descriptor in (worker.pass_fds[0], web[0].pass_fds[1]):
            self.addCleanup(os.close, descriptor)
        return web, worker

    def test_it_connects_the_web_processes_with_the_worker(self):
        web, worker = self.make_worker()

        os.write(int(web[1].env[SENDER]), b"one two")

        self.assertEqual(os.read(int(worker.env[RECEIVER]), 100), b"one two")
        self.assertEqual({child.pass_fds[1] for child in web}, {int(web[0].env[SENDER])})
        self.assertEqual(list(worker.pass_fds), [int(worker.env[RECEIVER])])

    def test_it_gives_the_worker_the_address_that_links_lead_to(self):
        found = []
        for given in ({}, {"PUBLIC_URL": "https://incidents.example.org"}):
            with mock.patch.dict(os.environ, given):
                if not given:
                    os.environ.pop("PUBLIC_URL", None)
                found.append(self.make_worker()[1].env.get("PUBLIC_URL"))

        # one that is set is inherited
        self.assertEqual(found, ["http://127.0.0.1:1", None])

    def test_it_passes_on_what_the_worker_is_to_run(self):
        commands = [
            self.make_worker(**options)[1].command[2:]
            for options in ({}, {"only": ["general"]}, {"leave_out": ["deliver", "other"]})
        ]

        self.assertEqual(
            commands,
            [
                ["worker", "--supervised"],
                ["worker", "--supervised", "--only", "general"],
                ["worker", "--supervised", "--except", "deliver", "other"],
            ],
        )

    def test_it_refuses_a_group_that_does_not_exist_before_anything_starts(self):
        with self.assertRaisesMessage(CommandError, "There is no group of jobs named nothing; there are: "):
            call_command("serve", "--except", "nothing")


class PrepareTests(TestCase):
    def test_it_migrates_only_where_it_must_and_loads_the_demo_once(self):
        for planned in ([("m", False)], []):
            with (
                mock.patch.object(serve.MigrationExecutor, "migration_plan", return_value=planned),
                mock.patch.object(serve, "call_command") as called,
                mock.patch.object(serve.connection, "close"),
            ):
                prepare()

            commands = [call.args[0] for call in called.call_args_list]
            self.assertEqual(commands, [*(["migrate"] if planned else []), "demo", "write_status_page"])

    def test_links_that_it_stores_lead_to_the_address_that_will_be_served(self):
        found = []
        for given in ({}, {"PUBLIC_URL": "https://incidents.example.org"}):
            with (
                mock.patch.dict(os.environ, given),
                override_settings(PUBLIC_URL=given.get("PUBLIC_URL", settings.DEFAULT_PUBLIC_URL)),
                mock.patch.object(serve, "prepare", side_effect=lambda: found.append(settings.PUBLIC_URL)),
                mock.patch.object(serve, "listen", side_effect=CommandError("taken")),
            ):
                if not given:
                    os.environ.pop("PUBLIC_URL", None)
                with self.assertRaises(CommandError):
                    call_command("serve", "--prepare", "--port", "8116")

        self.assertEqual(found, ["http://127.0.0.1:8116", "https://incidents.example.org"])
