import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from django.test import SimpleTestCase
from django.utils import timezone

from notifications.channels.email.composing import Mail, Sender, compose
from notifications.channels.email.smtp import IDLE_SECONDS, Client, Server, is_about_mailbox
from notifications.channels.email.tests.servers import (
    DROP,
    PASSWORD,
    USER,
    Sink,
    authenticating,
    client_tls,
    mail_server,
    server_tls,
)
from notifications.channels.port import Failed, Message


def a_mail(number: int = 1, address: str = "ana@example.com") -> Mail:
    message = Message(key=f"delivery-{number}", kind="page", title="Checkout is down", incident=7, reference="INC-7")
    return compose(message, address, Sender("incidents@example.org", "in@example.org"), timezone.now())


def server_at(port: int, **values: Any) -> Server:
    return Server("127.0.0.1", port, **{"timeout": 5.0, **values})


class ClientTests(SimpleTestCase):
    def setUp(self) -> None:
        self.sink = Sink()
        self.client_ = Client()
        self.addCleanup(self.client_.close)

    def failure(self, server: Server) -> Failed:
        with self.assertRaises(Failed) as caught:
            self.client_.send(server, a_mail())
        return caught.exception

    def test_it_hands_a_mail_over_with_its_envelope(self):
        with mail_server(self.sink) as port:
            answer = self.client_.send(server_at(port), mail := a_mail())

        self.assertEqual(self.sink.mails[0].rcpt_tos, ["ana@example.com"])
        self.assertEqual(self.sink.mails[0].mail_from, mail.sender)
        self.assertEqual(self.sink.read()["Subject"], "[INC-7] Checkout is down")
        self.assertIn("queued as 4711", answer)

    def test_it_uses_a_connection_again_until_it_was_idle_too_long(self):
        now = 0.0
        client = Client(clock=lambda: now)
        self.addCleanup(client.close)
        with mail_server(self.sink) as port:
            client.send(server_at(port), a_mail(1))
            client.send(server_at(port), a_mail(2))
            connections = self.sink.connections
            now = IDLE_SECONDS + 1
            client.send(server_at(port), a_mail(3))

        self.assertEqual((connections, self.sink.connections), (1, 2))

    def test_it_sends_once_over_a_new_connection_when_the_server_hung_up_while_idle(self):
        with mail_server(self.sink) as port:
            self.client_.send(server_at(port), a_mail(1))
            self.client_._idle[0].smtp.sock.shutdown(socket.SHUT_RDWR)
            self.client_.send(server_at(port), a_mail(2))

        self.assertEqual(len(self.sink.mails), 2)

    def test_it_secures_the_connection_and_signs_in(self):
        with mail_server(self.sink, **authenticating()) as port:
            secured = server_at(port, security="starttls", user=USER, password=PASSWORD, tls=client_tls())
            self.client_.send(secured, a_mail())

        self.assertEqual(len(self.sink.mails), 1)

    def test_it_speaks_tls_from_the_first_byte(self):
        with mail_server(self.sink, ssl_context=server_tls()) as port, mail_server(Sink()):
            self.client_.send(server_at(port, security="tls", tls=client_tls()), a_mail())

        self.assertEqual(len(self.sink.mails), 1)

    def test_it_takes_our_own_mistakes_for_temporary_and_tells_no_password(self):
        with mail_server(self.sink, **authenticating()) as port, mail_server(Sink()) as plain:
            cases = {
                "user name or password": server_at(
                    port, security="starttls", user=USER, password="wrong-secret", tls=client_tls()
                ),
                "cannot be trusted": server_at(port, security="starttls", user=USER, password="wrong-secret"),
                "does not offer": server_at(plain, security="starttls", user=USER, password="wrong-secret"),
                "cannot be reached": server_at(unused_port()),
            }
            for words, server in cases.items():
                with self.subTest(words):
                    failure = self.failure(server)

                    self.assertIn(words, failure.detail)
                    self.assertNotIn("wrong-secret", failure.detail)
                    self.assertFalse(failure.is_permanent)

    def test_it_tells_refusals_of_the_mailbox_from_others(self):
        table = [
            # what the server answers to the recipient: permanent, disables
            ("450 4.2.1 Greylisted, try again", False, False),
            ("452 4.2.2 Mailbox full", False, False),
            ("550 5.1.1 <ana@example.com>: Recipient address rejected: User unknown", True, True),
            ("550 No such user here", True, True),
            ("550 5.2.1 The email account that you tried to reach is disabled", True, True),
            ("550 5.7.1 Message rejected as spam by policy", True, False),
            ("550 rejected: your host is on a blocklist", True, False),
            ("552 5.2.2 Mailbox over quota", True, False),
        ]
        with mail_server(self.sink) as port:
            for answer, is_permanent, disables in table:
                with self.subTest(answer):
                    self.sink.recipient = answer

                    failure = self.failure(server_at(port))

                    self.assertEqual((failure.is_permanent, failure.disables), (is_permanent, disables))
                    self.assertIn(answer[:9], failure.detail)
                    self.assertNotIn("ana@example.com", failure.detail)
                    self.assertFalse(failure.may_have_arrived)

    def test_it_never_blames_the_recipient_for_a_refusal_of_our_address_or_our_mail(self):
        with mail_server(self.sink) as port:
            self.sink.sender = "550 5.1.8 Sender address rejected: user unknown"
            of_sender = self.failure(server_at(port))
            self.sink.sender, self.sink.data = "250 OK", "554 5.1.1 no such user, said after the mail"
            of_mail = self.failure(server_at(port))
            self.sink.data = "451 4.3.0 try again"
            passing = self.failure(server_at(port))

        self.assertEqual((of_sender.is_permanent, of_sender.disables), (False, False))
        self.assertEqual((of_mail.is_permanent, of_mail.disables), (True, False))
        self.assertFalse(passing.is_permanent)

    def test_it_says_that_a_mail_may_have_arrived_if_the_connection_ends_after_it(self):
        self.sink.data = DROP
        with mail_server(self.sink) as port:
            failure = self.failure(server_at(port))

        self.assertTrue(failure.may_have_arrived)
        self.assertFalse(failure.is_permanent)

    def test_it_gives_up_on_a_server_that_hangs(self):
        with hanging_server(b"") as port:
            begun = time.monotonic()
            failure = self.failure(server_at(port, timeout=0.3))

        self.assertLess(time.monotonic() - begun, 3)
        self.assertIn("did not answer in time", failure.detail)
        self.assertFalse(failure.may_have_arrived)

    def test_it_gives_up_on_a_server_that_answers_each_command_slowly(self):
        answers = b"220 hello\r\n", b"250 hi\r\n", b"250 sender\r\n", b"250 recipient\r\n", b"354 go on\r\n"
        with hanging_server(*answers, pause=0.3) as port, mock.patch("notifications.channels.email.smtp.SECONDS", 0.7):
            begun = time.monotonic()
            failure = self.failure(server_at(port))

        self.assertLess(time.monotonic() - begun, 2)
        self.assertIn("did not answer in time", failure.detail)
        self.assertFalse(failure.may_have_arrived)

    def test_it_takes_no_babble_for_a_yes(self):
        with hanging_server(b"220 hello\r\n", b"250 hi\r\n", b"babble\r\n") as port:
            failure = self.failure(server_at(port, timeout=1.0))

        self.assertFalse(failure.is_permanent)

    def test_it_says_that_a_mail_may_have_arrived_if_the_answer_to_it_never_comes(self):
        answers = b"220 hello\r\n", b"250 hi\r\n", b"250 sender\r\n", b"250 recipient\r\n", b"354 go on\r\n"
        with hanging_server(*answers) as port:
            failure = self.failure(server_at(port, timeout=0.5))

        self.assertTrue(failure.may_have_arrived)

    def test_it_sends_150_mails_a_second_with_its_threads(self):
        mails = [a_mail(number) for number in range(300)]
        with mail_server(self.sink) as port, ThreadPoolExecutor(8) as threads:
            begun = time.monotonic()
            list(threads.map(lambda mail: self.client_.send(server_at(port), mail), mails))
            seconds = time.monotonic() - begun

        self.assertEqual(len({mail.rcpt_tos[0] for mail in self.sink.mails}), 1)
        self.assertEqual(len(self.sink.mails), 300)
        self.assertLessEqual(self.sink.connections, 8 + 3)
        # far below what an idle machine does, so that a busy one passes
        self.assertGreater(300 / seconds, 50)

    def test_it_reads_what_a_refusal_is_about(self):
        table = {
            "5.1.1 User unknown": True,
            "5.1.10 Recipient not found": True,
            "5.7.1 user unknown to our policy": False,
            "sorry, no mailbox here by that name": True,
            "Requested action not taken: mailbox unavailable": False,
        }

        self.assertEqual({words: is_about_mailbox(words) for words in table}, table)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class hanging_server:
    """A server that says these lines, one per command, and then nothing more."""

    def __init__(self, *answers: bytes, pause: float = 0) -> None:
        self.answers, self.pause = answers, pause
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self) -> int:
        self.thread.start()
        return int(self.listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.listener.close()
        self.thread.join(5)

    def serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            for number, answer in enumerate(self.answers):
                if number:
                    connection.recv(65536)
                if self.is_over.wait(self.pause):
                    return
                connection.sendall(answer)
            self.is_over.wait(5)
