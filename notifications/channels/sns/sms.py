"""SMS by Amazon SNS (Publish with PhoneNumber). It reports no receipts: accepted is the most it says."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings

from notifications.channels.port import Address, Failed, Message, Receipt, Stage
from notifications.channels.sms.layout import lay_out
from notifications.channels.sns.client import client_for

NAME = "sns"
_PASSING = {
    *("Throttling", "ThrottlingException", "Throttled", "ThrottledException", "RequestLimitExceeded"),
    *("InternalError", "InternalErrorException", "InternalFailure", "ServiceUnavailable"),
    *("KMSThrottling", "KMSThrottlingException"),
}
_DEAD = {"OptedOut": "the person has opted out", "OptedOutException": "the person has opted out"}


def why_unusable() -> str:
    """Return what keeps SMS from being sent, or ""."""
    if not settings.SNS_SMS_REGION:
        return "Set SNS_SMS_REGION to an AWS region that sends SMS."
    if find_spec("boto3") is None:
        return "Install the extra for Amazon SNS: pip install -r requirements-aws.txt."
    return ""


def send_sms(message: Message, to: Address) -> Receipt:
    """Send an SMS. Raises Failed."""
    from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

    attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    if settings.SNS_SMS_SENDER:
        attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": settings.SNS_SMS_SENDER}
    text = lay_out(message, with_urls=settings.SMS_INCLUDE_URL)
    try:
        answer = client_for(settings.SNS_SMS_REGION, settings.SNS_ENDPOINT_URL).publish(
            PhoneNumber=to.value, Message=text, MessageAttributes=attributes
        )
    except ClientError as error:
        raise _failed(error.response) from error
    except BotoCoreError as error:
        never_sent = isinstance(error, ConnectTimeoutError | EndpointConnectionError)
        name = type(error).__name__
        raise Failed(
            f"Amazon SNS gave no answer ({name})",
            is_permanent=name in ("NoCredentialsError", "PartialCredentialsError"),
            provider=NAME,
            may_have_arrived=not never_sent,
        ) from error
    return Receipt(Stage.ACCEPTED, NAME, answer["MessageId"], "Amazon SNS: accepted; it gives no receipts")


def _failed(response: Any) -> Failed:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    meaning = _DEAD.get(code, "")
    is_passing = code in _PASSING or status == 429 or status >= 500
    return Failed(
        f"Amazon SNS: {code or status}" + (f", {meaning}" if meaning else ""),
        is_permanent=not is_passing,
        disables=bool(meaning),
        provider=NAME,
        may_have_arrived=status >= 500,
    )
