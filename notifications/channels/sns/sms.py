"""SMS by Amazon SNS (Publish with PhoneNumber). It reports no receipts: accepted is the most it says."""

from django.conf import settings

from notifications.channels.port import Address, Message, Receipt, Stage
from notifications.channels.sms.layout import lay_out
from notifications.channels.sns.client import NAME, is_installed, publish

DEAD = dict.fromkeys(("OptedOut", "OptedOutException"), "the person has opted out")


def why_unusable() -> str:
    """Return what keeps SMS from being sent, or ""."""
    if not settings.SNS_SMS_REGION:
        return "Set SNS_SMS_REGION to an AWS region that sends SMS."
    if not is_installed():
        return "Install the extra for Amazon SNS: pip install -r requirements-aws.txt."
    return ""


def send_sms(message: Message, to: Address) -> Receipt:
    """Send an SMS. Raises Failed."""
    attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    if settings.SNS_SMS_SENDER:
        attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": settings.SNS_SMS_SENDER}
    text = lay_out(message, with_urls=settings.SMS_INCLUDE_URL)
    request = {"PhoneNumber": to.value, "Message": text, "MessageAttributes": attributes}
    published = publish(settings.SNS_SMS_REGION, request, dead=DEAD)
    return Receipt(Stage.ACCEPTED, NAME, published, "Amazon SNS: accepted; it gives no receipts")
