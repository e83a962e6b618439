"""Signatures of Amazon SNS, made with a key and certificate of our own, and all who pretend to be Amazon."""

import base64
import datetime as dt
import functools
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx2
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.test import SimpleTestCase

from core.outbound.client import Answer, OutboundError, Unreachable
from intake.requests import IntakeError, IntakeRequest
from integrations.sns import payload as sns
from integrations.sns import trust as _sns_trust

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-00ff.pem"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
CONFIRMATION = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=00ff"


@functools.cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: Any = None, *, ends: dt.datetime = NOW + dt.timedelta(days=30)) -> bytes:
    key = key or rsa_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - dt.timedelta(days=30)).not_valid_after(ends)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def message(**changes: Any) -> dict[str, Any]:
    body = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Subject": "Zürich",
        "Message": "It is\nlate",
        "Timestamp": "2026-11-20T11:59:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def confirmation(**changes: Any) -> dict[str, Any]:
    return message(
        **{
            "Type": "SubscriptionConfirmation",
            "Subject": None,
            "Token": "00ff",
            "SubscribeURL": CONFIRMATION,
            **changes,
        }
    )


def signed(body: dict[str, Any]) -> dict[str, Any]:
    hashing = SHA1() if body["SignatureVersion"] == "1" else SHA256()
    signature = rsa_key().sign(_sns_trust.canonical(body), padding.PKCS1v15(), hashing)
    return {**body, "Signature": base64.b64encode(signature).decode()}


def request(body: dict[str, Any]) -> IntakeRequest:
    return IntakeRequest("POST", "/", {"content-type": "text/plain; charset=UTF-8"}, json.dumps(body).encode())


@time_machine.travel(NOW, tick=False)
class SnsTests(SimpleTestCase):
    def setUp(self):
        _sns_trust._certificate.cache_clear()
        patcher = mock.patch.object(_sns_trust, "fetch", side_effect=lambda url: certificate())
        self.fetch = patcher.start()
        self.addCleanup(patcher.stop)

    def assert_refused(self, body: dict[str, Any], secret: str = "", status: int = 403):
        with self.assertRaises(IntakeError) as caught:
            sns.verify(request(body), secret)
        self.assertEqual(caught.exception.status, status)

    def test_it_takes_both_versions_of_the_signature(self):
        for version in ("1", "2"):
            for body in (message(SignatureVersion=version), message(SignatureVersion=version, Subject=None)):
                with self.subTest(version=version, subject=body.get("Subject")):
                    self.assertIsNone(sns.verify(request(signed(body)), ""))

    def test_it_signs_what_amazon_documents(self):
        canonical = _sns_trust.canonical(message(Subject=None))

        expected = f"Message\nIt is\nlate\nMessageId\nm-1\nTimestamp\n2026-11-20T11:59:00.000Z\nTopicArn\n{TOPIC}\n"
        self.assertEqual(canonical.decode(), expected + "Type\nNotification\n")

    def test_it_refuses_a_message_that_was_tampered_with(self):
        good = signed(message())
        for name, value in {
            **{"Message": "It is\nearly", "MessageId": "m-2", "Subject": "Other", "TopicArn": TOPIC + "x"},
            **{"Timestamp": "2026-11-20T11:59:01.000Z", "SignatureVersion": "1", "Type": "SubscriptionConfirmation"},
            **{"Signature": "AAAA", "Message": ["It is\nlate"]},
        }.items():
            with self.subTest(name=name):
                self.assert_refused({**good, name: value})

    def test_it_refuses_signatures_that_are_none(self):
        for changes in ({"Signature": "no base64!"}, {"Signature": ""}, {"SignatureVersion": "3"}, {"Timestamp": "x"}):
            with self.subTest(changes=changes):
                self.assert_refused({**signed(message()), **changes})

    def test_it_asks_for_no_certificate_but_amazons(self):
        for url in (
            "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-00.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-00.pem",
            "https://evil.example/?https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem",
            "https://evil.example\\@sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem",
            "https://user:word@sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-00.pem",
            "https://sns.eu-west-1.amazonaws.com/bucket/../SimpleNotificationService-00.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem?x=1",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem#.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem\n",
            "https://sns-eu-west-1.s3.amazonaws.com/SimpleNotificationService-00.pem",
            "https://sns.eu-west-1.amazonaws.cоm/SimpleNotificationService-00.pem",  # a Cyrillic o
            "https://sns.eu-west-1.amazonaws。com/SimpleNotificationService-00.pem",  # an ideographic full stop
            "https://sns.eu-west-١.amazonaws.com/SimpleNotificationService-00.pem",  # an Arabic digit
            "https://169.254.169.254/SimpleNotificationService-00.pem",
            "https://[::1]/SimpleNotificationService-00.pem",
            "https://localhost/SimpleNotificationService-00.pem",
            "file:///etc/SimpleNotificationService-00.pem",
            None,
            ["https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00.pem"],
        ):
            with self.subTest(url=url):
                self.assert_refused({**signed(message()), "SigningCertURL": url})
        self.fetch.assert_not_called()

    def test_it_knows_amazons_hosts(self):
        for region in ("us-east-1", "us-gov-west-1", "ap-southeast-2", "cn-north-1"):
            for end in ("", ".cn"):
                url = f"https://sns.{region}.amazonaws.com{end}/SimpleNotificationService-0a.pem"
                with self.subTest(url=url):
                    self.assertTrue(_sns_trust.CERTIFICATE.fullmatch(url))

    def test_it_fetches_a_certificate_once(self):
        for number in range(3):
            sns.verify(request(signed(message(MessageId=f"m-{number}"))), "")

        self.fetch.assert_called_once_with(CERTIFICATE)

    def test_it_refuses_a_certificate_that_does_not_fit(self):
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        curve = ec.generate_private_key(ec.SECP256R1())
        cases: list[Callable[[], bytes]] = [
            lambda: certificate(other),
            lambda: certificate(curve),
            lambda: certificate(ends=NOW - dt.timedelta(seconds=1)),
            lambda: b"<html>",
        ]
        for case in cases:
            _sns_trust._certificate.cache_clear()
            self.fetch.side_effect = lambda url, case=case: case()
            with self.subTest(case=case()[:40]):
                self.assert_refused(signed(message()))

    def test_it_refuses_what_is_old_or_of_the_future(self):
        for stamp in ("2026-11-20T10:44:59.000Z", "2026-11-20T12:16:00.000Z", "0001-01-01T00:00:00Z", ""):
            with self.subTest(stamp=stamp):
                self.assert_refused(signed(message(Timestamp=stamp)))
        self.fetch.assert_not_called()

    def test_it_takes_only_the_topic_that_was_set(self):
        self.assertIsNone(sns.verify(request(signed(message())), TOPIC))

        self.assert_refused(signed(message()), "arn:aws:sns:eu-west-1:123456789012:other")

    def test_it_reads_no_message_as_one_of_another_topic(self):
        end = f"MessageId\nm-1\nTimestamp\n2026-11-20T11:59:00.000Z\nTopicArn\n{TOPIC}x\nType\nNotification"
        words = "MessageId\nm-2\nTimestamp\n2026-11-20T11:58:00.000Z\nTopicArn\n" + f"{TOPIC}\nType\nNotification"
        strangers = signed(message(Message=f"It is\n{words}", TopicArn=f"{TOPIC}x", Subject=None))
        forged = {
            "in its type": {"Message": "It is", "Type": f"Notification\n{end}"},
            "in its number": {
                "Message": "It is",
                "MessageId": "m-2",
                "TopicArn": f"{TOPIC}\nType\nNotification\n{end}",
            },
        }
        for where, changes in forged.items():
            with self.subTest(where):
                self.assert_refused(
                    {**strangers, "TopicArn": TOPIC, "Timestamp": "2026-11-20T11:58:00.000Z", "MessageId": "m-2"}
                    | changes,
                )

    def test_it_confirms_a_subscription(self):
        is_greeting = sns.greet(request(signed(confirmation())))

        self.assertTrue(is_greeting)
        asked = self.fetch.call_args.args[0]
        self.assertEqual(httpx2.URL(asked).host, "sns.eu-west-1.amazonaws.com")
        self.assertEqual(
            dict(httpx2.URL(asked).params), {"Action": "ConfirmSubscription", "TopicArn": TOPIC, "Token": "00ff"}
        )

    def test_it_confirms_nothing_elsewhere(self):
        for url in (
            CONFIRMATION.replace("https", "http"),
            CONFIRMATION.replace("ConfirmSubscription", "Unsubscribe"),
            CONFIRMATION.replace("alarms", "other"),
            CONFIRMATION.replace("00ff", "00fe"),
            CONFIRMATION.replace("/?", "/x?"),
            CONFIRMATION.replace("/?", ":8443/?"),
            CONFIRMATION.replace("sns.", "a@sns."),
            CONFIRMATION.replace(".com/", ".com.evil.example/"),
            CONFIRMATION.replace(HOST, "https://10.0.0.1"),
            CONFIRMATION + "&Action=Unsubscribe",
            CONFIRMATION + "&Endpoint=x",
            "",
        ):
            self.fetch.reset_mock()
            with self.subTest(url=url), self.assertRaises(IntakeError):
                sns.greet(request(signed(confirmation(SubscribeURL=url))))
            self.assertLessEqual({call.args[0] for call in self.fetch.call_args_list}, {CERTIFICATE})

    def test_it_confirms_nothing_that_is_not_signed(self):
        with self.assertRaises(IntakeError):
            sns.greet(request({**signed(confirmation()), "Token": "00fe"}))

        self.fetch.assert_called_once_with(CERTIFICATE)

    def test_it_takes_note_of_a_farewell_and_asks_nobody(self):
        is_greeting = sns.greet(request(signed(confirmation(Type="UnsubscribeConfirmation"))))

        self.assertTrue(is_greeting)
        self.fetch.assert_called_once_with(CERTIFICATE)

    def test_it_greets_no_notification(self):
        self.assertFalse(sns.greet(request(message())))

    def test_it_tells_deliveries_apart_by_their_message(self):
        self.assertEqual(sns.delivery_id(request(message())), "m-1")
        self.assertEqual(sns.delivery_id(IntakeRequest("POST", "/", {}, b"?")), "")


class FetchTests(SimpleTestCase):
    """What becomes of answers and of their absence."""

    def answer(self, came: Answer | OutboundError) -> bytes:
        with mock.patch.object(type(_sns_trust._client), "request", side_effect=[came]):
            return _sns_trust.fetch(CERTIFICATE)

    def test_it_gives_back_what_it_finds(self):
        self.assertEqual(self.answer(Answer(200, {}, b"pem")), b"pem")

    def test_it_says_that_trying_again_may_help(self):
        for came in (Answer(302, {"location": "http://169.254.169.254/"}, b""), Answer(500, {}, b""), Unreachable("x")):
            with self.subTest(came=came), self.assertRaises(IntakeError) as caught:
                self.answer(came)
            self.assertEqual(caught.exception.status, 503)
