from unittest import mock

import boto3
from django.test import SimpleTestCase, override_settings
from moto import mock_aws

from notifications.channels.port import Address, Failed, Message, Stage
from notifications.channels.sns import client, sms
from notifications.channels.sns.client import client_for, refusal

TO = Address("+12025550123")
PAGE = Message(key="k", kind="page", title="Disk full", reply_code="4271")


@override_settings(SNS_SMS_REGION="eu-west-1", SNS_ENDPOINT_URL="", SNS_SMS_SENDER="OnCall")
class SNSTests(SimpleTestCase):
    def setUp(self) -> None:
        credentials = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        self.enterContext(mock.patch.dict("os.environ", credentials))
        self.enterContext(mock_aws())
        client_for.cache_clear()
        self.addCleanup(client_for.cache_clear)

    def test_it_publishes_to_a_number_and_claims_no_more_than_accepted(self):
        from moto.sns.models import sns_backends

        receipt = sms.send_sms(PAGE, TO)

        (sent,) = sns_backends["123456789012"]["eu-west-1"].sms_messages.values()
        self.assertEqual(sent, (TO.value, "Disk full. Reply 4271 A to acknowledge, 4271 R to resolve"))
        self.assertEqual((receipt.stage, receipt.provider), (Stage.ACCEPTED, "sns"))
        self.assertTrue(receipt.provider_id)

    def test_it_fails_for_good_when_the_number_is_refused(self):
        with self.assertRaises(Failed) as caught:
            sms.send_sms(PAGE, Address("nonsense"))

        self.assertTrue(caught.exception.is_permanent)
        self.assertNotIn("nonsense", caught.exception.detail)

    def test_it_tells_what_passes_from_what_lasts(self):
        for code, status, (is_permanent, disables) in (
            ("Throttled", 400, (False, False)),
            ("InternalError", 500, (False, False)),
            ("AuthorizationError", 403, (True, False)),
            ("OptedOut", 400, (True, True)),
        ):
            with self.subTest(code):
                failure = refusal({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, sms.DEAD)
                self.assertEqual((failure.is_permanent, failure.disables), (is_permanent, disables))

    def test_it_says_what_is_to_be_set_or_installed(self):
        self.assertEqual(sms.why_unusable(), "")
        with override_settings(SNS_SMS_REGION=""):
            self.assertIn("SNS_SMS_REGION", sms.why_unusable())
        with mock.patch.object(client, "find_spec", return_value=None):
            self.assertIn("requirements-aws.txt", sms.why_unusable())

    def test_it_needs_nothing_of_amazon_until_it_sends(self):
        self.assertTrue(boto3)  # the extra is there, and yet
        self.assertNotIn("boto3", {**vars(sms), **vars(client)})


class AbsentTests(SimpleTestCase):
    @override_settings(SNS_SMS_REGION="eu-west-1", SNS_ENDPOINT_URL="http://127.0.0.1:9")
    def test_it_fails_for_now_when_amazon_is_away(self):
        self.enterContext(mock.patch.dict("os.environ", {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}))
        client_for.cache_clear()
        self.addCleanup(client_for.cache_clear)

        with self.assertRaises(Failed) as caught:
            sms.send_sms(PAGE, TO)

        self.assertEqual((caught.exception.is_permanent, caught.exception.may_have_arrived), (False, False))
