import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from incident_response.environment import Environment
from tests.databases import ROOT

SECRET = "0123456789" * 4


def reading(text: str = "", **process: str) -> Environment:
    """An environment of a `.env` with this text and of these variables of the process."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, process):
        dotenv = Path(folder) / ".env"
        dotenv.write_text(text, encoding="utf-8")
        return Environment(dotenv)


class ReadingTests(SimpleTestCase):
    def test_it_lets_the_process_win_over_the_file_and_the_file_over_the_default(self) -> None:
        environment = reading("IR_ONE=file\nexport IR_TWO='file two'\n\n# IR_THREE=comment\n")

        with mock.patch.dict(os.environ, IR_ONE="process"):
            found = [environment.text(name, default="default", help="") for name in ("IR_ONE", "IR_TWO", "IR_THREE")]

        self.assertEqual(found, ["process", "file two", "default"])

    def test_it_reads_each_type(self) -> None:
        environment = reading("A=Yes\nB=off\nC=7\nD= a, b ,,c\nE=mysql://u:p@host:3307/name\nF=smtp+tls://u:p@mail:587")

        database = environment.database("E", default="sqlite:///x", help="")
        mail = environment.email_server("F", default="consolemail://", help="")
        self.assertTrue(environment.boolean("A", default=False, help=""))
        self.assertFalse(environment.boolean("B", default=True, help=""))
        self.assertEqual(environment.integer("C", default=1, help=""), 7)
        self.assertEqual(environment.words("D", default=[], help=""), ["a", "b", "c"])
        self.assertEqual((database["HOST"], database["PORT"], database["NAME"]), ("host", 3307, "name"))
        self.assertEqual((mail["EMAIL_HOST"], mail["EMAIL_USE_TLS"]), ("mail", True))

    def test_it_reads_amounts(self) -> None:
        environment = reading("A=2.50\nB=\nC=-1\nD=much\nE=NaN")

        self.assertEqual(environment.amount("A", default="", help=""), Decimal("2.50"))
        self.assertIsNone(environment.amount("B", default="", help=""))
        for name in "CDE":
            with self.assertRaisesMessage(ImproperlyConfigured, "a number of at least 0"):
                environment.amount(name, default="", help="")

    def test_it_takes_smtps_for_tls_from_the_first_byte(self) -> None:
        environment = reading("F=smtps://u%40x:p%2F@mail")

        mail = environment.email_server("F", default="consolemail://", help="")

        self.assertTrue(mail["EMAIL_USE_SSL"])
        self.assertEqual(mail["EMAIL_PORT"], 465)
        self.assertNotIn("EMAIL_USE_TLS", mail)
        self.assertEqual((mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]), ("u@x", "p/"))

    def test_it_names_the_setting_and_what_was_expected(self) -> None:
        table: list[tuple[str, str, dict[str, Any], str]] = [
            ("boolean", "maybe", {"default": True}, "NAME is not valid: expected true or false."),
            (
                "broker",
                "",
                {"is_needed": True},
                "NAME is not set: expected amqp://user:password@host:5672/vhost or redis",
            ),
            ("broker", "http://host", {"is_needed": True}, "NAME is not valid: expected amqp://"),
            ("networks", "10.1.1.1/8", {}, "expected networks such as 10.20.0.0/16"),
            ("integer", "1.5", {"default": 1}, "NAME is not valid: expected a whole number of at least 0."),
            ("integer", "0", {"default": 1, "minimum": 1}, "expected a whole number of at least 1."),
            ("integer", "9", {"default": 1, "maximum": 8}, "expected a whole number of at least 0 and at most 8."),
            ("text", "loud", {"default": "low", "choices": ["low", "high"]}, "expected one of low, high."),
            ("secret", "", {}, "NAME is not set: expected a random secret of at least 32 characters"),
            ("secret", "short", {}, "NAME is not valid: expected a random secret of at least 32 characters"),
            (
                "database",
                "postgres://host/name",
                {"default": "sqlite:///x"},
                "expected sqlite:///path/to/file",
            ),
            ("database", "mysql://host", {"default": "sqlite:///x"}, "expected sqlite:///path/to/file"),
            ("email_server", "pigeon://", {"default": "consolemail://"}, "expected consolemail://, smtp://"),
        ]
        for kind, value, options, sentence in table:
            with self.subTest(kind, value=value), self.assertRaises(ImproperlyConfigured) as caught:
                getattr(reading(f"NAME={value}"), kind)("NAME", help="", **options)
            self.assertIn(sentence, str(caught.exception))

    def test_it_passes_over_a_byte_order_mark(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            dotenv = Path(folder) / ".env"
            dotenv.write_text("COLOUR=red\n", encoding="utf-8-sig")

            self.assertEqual(Environment(dotenv).text("COLOUR", default="", help=""), "red")

    def test_it_refuses_names_that_nothing_reads(self) -> None:
        environment = reading("DEBUG=true\nDEBGU=true")
        environment.boolean("DEBUG", default=False, help="")

        with self.assertRaisesMessage(ImproperlyConfigured, ".env sets DEBGU, which is no setting of this program."):
            environment.refuse_unknown_names()

    def test_it_refuses_lines_that_set_nothing(self) -> None:
        with self.assertRaisesMessage(ImproperlyConfigured, ".env, line 2: expected NAME=value."):
            reading("DEBUG=true\njust words\n")
        for text in ("A=1\n\n# a\n\n  no name = b", "A=1\n\n\n\nb-c=d", "\n\n\n\nA='b", '\n\n\n\nA="b" c'):
            with (
                self.subTest(text),
                self.assertRaisesMessage(ImproperlyConfigured, ".env, line 5: expected NAME=value."),
            ):
                reading(text)

    def test_it_reads_values_as_shells_and_compose_do(self) -> None:
        table = {
            "A=a=b#c": "a=b#c",
            "A = b  # why": "b",
            "A='b # $C'  # why": "b # $C",
            'A="b\\"c"': 'b"c',
            "A=$B${C}": "$B${C}",
            "A=": "",
            "A='b\nc'": "b\nc",
            "\r\nA=b\r\nB=c": "b",
        }
        for text, value in table.items():
            with self.subTest(text):
                self.assertEqual(reading(text).text("A", default="", help=""), value)


class CommandLineTests(SimpleTestCase):
    def test_it_tells_a_wrong_setting_in_one_sentence(self) -> None:
        command = [sys.executable, "manage.py", "check"]

        ended = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "DEBUG": "maybe"}, capture_output=True, text=True, check=False
        )

        self.assertEqual((ended.returncode, ended.stderr), (1, "DEBUG is not valid: expected true or false.\n"))


class StartTests(SimpleTestCase):
    """What the settings come to in a process of its own."""

    def start(self, **variables: str) -> subprocess.CompletedProcess[str]:
        shown = ["SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "DEBUG"]
        code = f"from incident_response import settings as s; print([getattr(s, name) for name in {shown}])"
        process = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        environment = {**process, "DEBUG": "false", "PLAIN_HTTP": "false", **variables}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def test_it_is_secure_unless_told_otherwise(self) -> None:
        secure = self.start(SECRET_KEY=SECRET, HISTORY_KEY=SECRET)
        plain = self.start(SECRET_KEY=SECRET, HISTORY_KEY=SECRET, PLAIN_HTTP="true")

        self.assertEqual(secure.stdout.strip(), "[True, 31536000, True, True, False]", secure.stderr)
        self.assertEqual(plain.stdout.strip(), "[False, 0, False, False, False]", plain.stderr)

    def test_it_does_not_start_without_a_secret_of_its_own(self) -> None:
        for name in ("SECRET_KEY", "HISTORY_KEY"):
            with self.subTest(name):
                ended = self.start(**{"SECRET_KEY": SECRET, "HISTORY_KEY": SECRET, name: ""})

                self.assertNotEqual(ended.returncode, 0)
                self.assertIn(f"{name} is not set: expected a random secret", ended.stderr)
