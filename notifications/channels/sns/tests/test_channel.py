"""SNS topics, against moto, with a queue that subscribes."""

import json
from unittest import mock

import boto3
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from django.test import SimpleTestCase
from moto import mock_aws

from core.errors import DomainError
from notifications.channels.port import Address, Failed, Message, Stage, channel_of
from notifications.channels.push.tests.test_payload import PAGE
from notifications.channels.sns import client
from notifications.channels.sns.publishing import request_of, subject_of
from notifications.channels.webhook.tests.test_payload import UPDATE, VALIDATOR

REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:incidents"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_SECURITY_TOKEN": "testing"}


class TopicTests(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(mock.patch.dict("os.environ", KEYS))
        self.enterContext(mock_aws())
        client.client_for.cache_clear()
        self.addCleanup(client.client_for.cache_clear)
        self.sns, self.sqs = boto3.client("sns", REGION), boto3.client("sqs", REGION)

    def topic(self, name: str = "incidents", **attributes: str) -> tuple[str, str]:
        topic = self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        queue = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic, queue

    def received(self, queue: str) -> list[dict]:
        messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    def send(self, message: Message, topic: str):
        return channel_of("sns").send(message, Address(topic))

    def test_it_publishes_what_programs_and_people_read(self) -> None:
        topic, queue = self.topic()

        receipt = self.send(UPDATE, topic)

        envelope = self.received(queue)[0]
        payload = json.loads(envelope["Message"])
        self.assertEqual(list(VALIDATOR.iter_errors(payload)), [])
        self.assertEqual((payload["type"], payload["data"]["incident"]["id"]), ("incident.acknowledged", 7))
        self.assertEqual(envelope["Subject"], "Ada acknowledged INC-7")
        attributes = {name: one["Value"] for name, one in envelope["MessageAttributes"].items()}
        expected = {"type": "incident.acknowledged", "kind": "update", "reference": "INC-7", "message_id": "msg_d-3"}
        self.assertEqual({name: attributes.get(name) for name in expected}, expected)
        self.assertEqual((receipt.stage, receipt.provider_id), (Stage.ACCEPTED, envelope["MessageId"]))

    def test_it_keeps_order_and_refuses_doubles_on_fifo_topics(self) -> None:
        topic, queue = self.topic("incidents.fifo", FifoTopic="true", FifoQueue="true")

        self.send(PAGE, topic)
        self.send(PAGE, topic)

        self.assertEqual(len(self.received(queue)), 1)
        request = request_of(PAGE, topic)
        self.assertEqual((request["MessageGroupId"], request["MessageDeduplicationId"]), ("incident-7", "msg_d-1"))
        self.assertEqual(request_of(Message(key="a b", kind="test", title="x"), topic)["MessageGroupId"], "test")

    def test_it_ends_with_its_topic(self) -> None:
        with self.assertRaises(Failed) as caught:
            self.send(PAGE, TOPIC)

        self.assertTrue(caught.exception.disables)

    def test_it_says_what_may_be_tried_again(self) -> None:
        def error(code: str, status: int) -> ClientError:
            return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Publish")

        for raised, is_permanent, may_have_arrived in (
            (error("Throttled", 400), False, False),
            (error("AuthorizationError", 403), True, False),
            (error("InvalidParameter", 400), True, False),
            (error("InternalError", 500), False, True),
            (ConnectTimeoutError(endpoint_url="https://sns"), False, False),
            (ReadTimeoutError(endpoint_url="https://sns"), False, True),
            (NoCredentialsError(), True, True),
        ):
            amazon = mock.Mock(**{"publish.side_effect": raised})
            with self.subTest(repr(raised)), mock.patch.object(client, "client_for", return_value=amazon):
                with self.assertRaises(Failed) as caught:
                    self.send(PAGE, TOPIC)
                failed = caught.exception
                self.assertEqual((failed.is_permanent, failed.may_have_arrived), (is_permanent, may_have_arrived))
                self.assertFalse(failed.disables)

    def test_it_fits_into_what_sns_takes(self) -> None:
        topic, queue = self.topic()
        changes = {"description": ["", "⬢" * 100_000], "status": ["open", "resolved"]}
        told = {**UPDATE.event["data"]["event"], "body": "⬢" * 100_000, "changes": changes}
        event = {**UPDATE.event, "data": {**UPDATE.event["data"], "event": told}}
        message = Message(**{**vars(UPDATE), "title": "⬢" * 300, "body": "⬢" * 100_000, "event": event})

        self.send(message, topic)

        request = request_of(message, topic)
        self.assertLess(len(request["Message"].encode()), 256 * 1024)
        self.assertNotIn("Subject", request)
        payload = json.loads(self.received(queue)[0]["Message"])
        self.assertEqual(payload["data"]["event"]["changes"], {"status": ["open", "resolved"]})

    def test_it_writes_subjects_that_sns_takes(self) -> None:
        for title, expected in (
            ("INC-7: Größe überschritten ⬢", "INC-7: Groe uberschritten"),
            ("two\nlines\tand \x00 more", "two lines and more"),
            ("⬢", ""),
            ("x" * 300, "x" * 99),
        ):
            with self.subTest(title[:20]):
                self.assertEqual(subject_of(Message(key="k", kind="page", title=title)), expected)

    def test_it_takes_topics_and_nothing_else(self) -> None:
        validate = channel_of("sns").validate
        for topic in (TOPIC, f"{TOPIC}.fifo", TOPIC.replace("aws", "aws-cn", 1), TOPIC.replace("aws", "aws-us-gov", 1)):
            with self.subTest(topic):
                self.assertEqual(validate(f" {topic} "), topic)
        for text in (
            *("", "incidents", "https://sns.eu-central-1.amazonaws.com/", f"{TOPIC}:0b1c", f"{TOPIC}/x", f"{TOPIC}\nx"),
            *("arn:aws:sqs:eu-central-1:123456789012:q", "arn:aws:sns:evil.test/:123456789012:x", TOPIC + "x" * 256),
        ):
            with self.subTest(text), self.assertRaises(DomainError):
                validate(text)
        self.assertEqual(channel_of("sns").mask(TOPIC), "eu-central-1:…:incidents")
