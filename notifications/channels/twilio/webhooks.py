"""What Twilio asks and reports: the words of a call, SMS that come in, statuses.

A signature names no time, so an old request can be sent again; it then finds what it asked for done.
"""

from functools import wraps

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from notifications.channels.callbacks import View, callback_view, problem_response
from notifications.channels.phone.answering import answer_page, page_of
from notifications.channels.phone.receipts import record_when_known
from notifications.channels.phone.wording import wording
from notifications.channels.port import Failed, Stage
from notifications.channels.sms.answering import answer_sms
from notifications.channels.twilio import twiml
from notifications.channels.twilio.client import NAME, callback
from notifications.channels.twilio.errors import failed
from notifications.channels.twilio.signature import is_signed
from notifications.channels.twilio.spoken import Spoken, unseal
from notifications.services.receipts import record_failure, record_receipt

log = structlog.get_logger(__name__)

KEYS = {"1": "acknowledge", "3": "resolve"}
MOST_REPEATS = 10
MOST_CALLS = 2  # phones set to silence let the second one through
STAGES = {
    **dict.fromkeys(("accepted", "queued", "scheduled", "sending", "sent"), Stage.ACCEPTED),
    **dict.fromkeys(("delivered", "read"), Stage.DELIVERED),
}
NOT_DELIVERED = {"undelivered", "failed", "canceled"}
NOT_REACHED = {
    "completed": "the call ended without a key press",
    "busy": "the line was busy",
    "no-answer": "nobody answered",
    "failed": "the call could not be connected",
    "canceled": "the call was cancelled",
}


def signed(view: View) -> View:
    """Let only Twilio's requests in."""

    @callback_view("POST")
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not settings.TWILIO_AUTH_TOKEN:
            return problem_response(request, 403, "Twilio is not set up on this server.", "not_set_up")
        form = {name: [str(value) for value in request.POST.getlist(name)] for name in request.POST}
        signature = request.headers.get("X-Twilio-Signature", "")
        if not is_signed(signature, _called_address(request), form, settings.TWILIO_AUTH_TOKEN):
            log.warning("twilio_signature_invalid", path=request.path)
            return problem_response(
                request,
                403,
                "The signature is not Twilio's for this address; is PUBLIC_URL the address that Twilio calls?",
                "signature_invalid",
            )
        return view(request)

    return checked


@signed
def voice(request: HttpRequest) -> HttpResponse:
    """Say what happened, and take the key pressed."""
    sealed = request.GET.get("m", "")
    spoken = unseal(sealed)
    if spoken is None:
        return _xml(twiml.tell("en", wording("en").expired))
    if spoken.kind != "page":
        return _xml(twiml.tell_code(spoken))
    return _xml(_converse(spoken, sealed, str(request.POST.get("Digits", "")), _number(request.GET.get("round", ""))))


@signed
def sms(request: HttpRequest) -> HttpResponse:
    """Take an answer by SMS."""
    has_opted_out = request.POST.get("OptOutType") == "STOP"
    text = "STOP" if has_opted_out else str(request.POST.get("Body", ""))
    return _xml(twiml.reply(answer_sms(str(request.POST.get("From", "")), text)))


@signed
def status(request: HttpRequest) -> HttpResponse:
    """Note how far an SMS or a call got."""
    message, call = str(request.POST.get("MessageSid", "")), str(request.POST.get("CallSid", ""))
    if message:
        _note_message(message, str(request.POST.get("MessageStatus", "")), _number(request.POST.get("ErrorCode", "")))
    elif call:
        is_page = request.GET.get("kind", "page") == "page"
        attempt = _number(request.GET.get("attempt", ""))
        _note_call(call, str(request.POST.get("CallStatus", "")), is_page=is_page, attempt=attempt)
    return HttpResponse(status=204)


def _converse(spoken: Spoken, sealed: str, key: str, turn: int) -> bytes:
    words = wording(spoken.language)
    page = page_of(spoken.key)
    if action := KEYS.get(key):
        if page is None:
            return twiml.tell(spoken.language, words.expired)
        said = answer_page(page, action, channel_name="Phone")
        confirmed = words.acknowledged if action == "acknowledge" else words.resolved
        return twiml.tell(
            spoken.language, confirmed if said.changed and spoken.count == 1 else said.text, words.goodbye
        )
    if page is not None and not page.is_open:
        return twiml.tell(spoken.language, words.over.format(reference=spoken.reference), words.goodbye)
    if turn >= (MOST_REPEATS if key else twiml.MOST_ROUNDS):
        return twiml.tell(spoken.language, words.no_key)
    following = callback("voice", m=sealed, round=str(turn + 1))
    return twiml.ask(
        spoken, action=following, following=following, before=words.unknown_key if key not in ("", "2") else ""
    )


def _note_message(sid: str, word: str, code: int) -> None:
    if stage := STAGES.get(word):
        record_when_known(lambda: record_receipt("sms", sid, stage, f"Twilio: {word}"))
    elif word in NOT_DELIVERED:
        failure = failed(code) if code else Failed(f"Twilio: {word}", provider=NAME)
        record_when_known(lambda: record_failure("sms", sid, failure))


def _note_call(sid: str, word: str, *, is_page: bool, attempt: int) -> None:
    if word == "completed" and not is_page:
        record_when_known(lambda: record_receipt("voice", sid, Stage.DELIVERED, "Twilio: the call was taken"))
    elif reason := NOT_REACHED.get(word):
        failure = Failed(f"Twilio: {reason}", provider=NAME, is_unanswered=attempt >= MOST_CALLS)
        record_when_known(lambda: record_failure("voice", sid, failure))
    else:
        record_when_known(lambda: record_receipt("voice", sid, Stage.ACCEPTED, f"Twilio: {word}"))


def _called_address(request: HttpRequest) -> str:
    query = request.META.get("QUERY_STRING", "")
    return f"{settings.PUBLIC_URL.rstrip('/')}{request.path_info}" + (f"?{query}" if query else "")


def _number(text: object) -> int:
    return int(str(text)) if str(text).isdecimal() and len(str(text)) < 9 else 0


def _xml(document: bytes) -> HttpResponse:
    return HttpResponse(document, content_type="text/xml; charset=utf-8")
