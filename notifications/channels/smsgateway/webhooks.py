"""What a gateway reports (receipts) and passes on (SMS that came in); GET or POST, query or form."""

import hmac
import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from notifications.channels.callbacks import callback_view, problem_response
from notifications.channels.phone.receipts import record_when_known
from notifications.channels.port import Failed, Stage
from notifications.channels.sms.answering import answer_sms
from notifications.channels.smsgateway.client import NAME, receipt_token
from notifications.services.receipts import record_failure, record_receipt

# Kannel's numbers, and the words of the SMPP standard and of most gateways.
DELIVERED = {"1", "delivered", "delivrd", "deliveryok", "ok", "success", "read"}
FAILED = {"2", "16", "failed", "undelivered", "undeliv", "rejected", "rejectd", "expired", "deliveryfailed", "error"}


@callback_view("GET", "POST")
def receipts(request: HttpRequest) -> HttpResponse:
    """Note how far an SMS got; the token is that message's own."""
    values = _values_of(request)
    name, word = values.get("id", ""), re.sub(r"[^a-z0-9]", "", values.get("status", "").lower())
    if not name or not _equal(values.get("token", ""), receipt_token(name)):
        return problem_response(request, 403, "The token is not that of this message.", "permission_denied")
    if word in DELIVERED:
        record_when_known(lambda: record_receipt("sms", name, Stage.DELIVERED, "Gateway: delivered"))
    elif word in FAILED:
        failure = Failed(f"Gateway: not delivered ({word})", provider=NAME)
        record_when_known(lambda: record_failure("sms", name, failure))
    return HttpResponse(status=204)


@callback_view("GET", "POST")
def replies(request: HttpRequest) -> HttpResponse:
    """Take an answer by SMS; the response is the text to send back, if any."""
    values = _values_of(request)
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = bearer if scheme.lower() == "bearer" else values.get("token", "")
    if not settings.SMS_GATEWAY_TOKEN or not _equal(token, settings.SMS_GATEWAY_TOKEN):
        return problem_response(request, 403, "The token is not SMS_GATEWAY_TOKEN.", "permission_denied")
    number = values.get("from", "").strip()
    # Many gateways write a number without its plus sign, and a query turns that into a space.
    text = answer_sms(f"+{number.lstrip('+')}", values.get("text", ""))
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _values_of(request: HttpRequest) -> dict[str, str]:
    return {**request.GET.dict(), **request.POST.dict()}


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
