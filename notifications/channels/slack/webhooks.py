"""What Slack calls: buttons and the command. Both are stored and done later, so that Slack has its answer at once."""

from functools import wraps

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from slack_sdk.signature import SignatureVerifier

from notifications.channels.callbacks import View, callback_view, problem_response
from notifications.channels.chat.asking import note_refusal, store
from notifications.channels.chat.commands import HELP, help_lines
from notifications.channels.slack.blocks import escape
from notifications.channels.slack.payloads import KIND, Unreadable, read_command, read_interaction
from notifications.channels.slack.replies import PLATFORM

log = structlog.get_logger(__name__)


def is_signed(request: HttpRequest) -> bool:
    """Return whether Slack signed these bytes within five minutes."""
    stamp, signature = (request.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature"))
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and signature.isascii()):
        return False
    try:
        return SignatureVerifier(settings.SLACK_SIGNING_SECRET).is_valid(request.body, stamp, signature)
    except UnicodeDecodeError:
        return False


def signed(view: View) -> View:
    """Let only Slack's requests in."""

    @callback_view("POST")
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not settings.SLACK_SIGNING_SECRET.strip():
            return problem_response(request, 403, "Slack is not set up: SLACK_SIGNING_SECRET is empty.", "not_set_up")
        if not is_signed(request):
            log.warning("slack_signature_invalid", path=request.path)
            note_refusal(KIND, "The signature was not Slack's: compare SLACK_SIGNING_SECRET and the clock.")
            return problem_response(request, 403, "The signature is not Slack's, or too old.", "signature_invalid")
        try:
            return view(request)
        except Unreadable as error:
            return problem_response(request, 400, str(error), "invalid")

    return checked


@signed
def interactions(request: HttpRequest) -> HttpResponse:
    """Take pressed buttons."""
    store(KIND, read_interaction(request.body))
    return HttpResponse(status=200)


@signed
def commands(request: HttpRequest) -> HttpResponse:
    """Take the command; help is given at once."""
    asked = read_command(request.body)
    if asked is None:
        return HttpResponse(status=200)
    if asked.action == HELP:
        store(KIND, [])
        lines = "\n".join(help_lines(PLATFORM.prefix, asked.text))
        return JsonResponse({"response_type": "ephemeral", "text": escape(lines)})
    store(KIND, [asked])
    return HttpResponse(status=200)


@callback_view("POST")
def either(request: HttpRequest) -> HttpResponse:
    """Take buttons and the command at one address; each checks the signature."""
    return (interactions if "payload" in QueryDict(request.body) else commands)(request)
