"""What Telegram calls: messages to the bot and pressed buttons, stored and done later."""

import json

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from notifications.channels.callbacks import callback_view, problem_response
from notifications.channels.chat.asking import note_refusal, store
from notifications.channels.telegram.updates import KIND, read_update

log = structlog.get_logger(__name__)

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@callback_view("POST")
def updates(request: HttpRequest) -> HttpResponse:
    """Take an update that carries our secret."""
    secret = settings.TELEGRAM_WEBHOOK_SECRET.strip()
    if not secret:
        return problem_response(request, 403, "Telegram is not set up: TELEGRAM_WEBHOOK_SECRET is empty.", "not_set_up")
    if not constant_time_compare(request.headers.get(HEADER, ""), secret):
        log.warning("telegram_secret_wrong")
        note_refusal(KIND, "The secret was wrong: set the webhook again with TELEGRAM_WEBHOOK_SECRET.")
        return problem_response(request, 403, "The secret is wrong.", "signature_invalid")
    try:
        update = json.loads(request.body)
    except (ValueError, RecursionError):
        update = None
    if not isinstance(update, dict):
        return problem_response(request, 400, "This is not an update.", "invalid")
    asked = read_update(update)
    store(KIND, [asked] if asked else [])
    return HttpResponse(status=200)
