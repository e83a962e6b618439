"""Doing what people ask in a chat, and telling them there."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.leases import Lease
from core.db.transactions import unit_of_work
from core.errors import DomainError
from core.server.jobs import wake
from core.text.languages import reading
from core.text.sentences import shown
from incidents.models import Incident
from notifications.channels.chat.actions import action_named
from notifications.channels.chat.commands import HELP, help_lines
from notifications.channels.chat.platforms import Platform
from notifications.channels.chat.reading import incident_lines, on_call_lines, open_of
from notifications.channels.port import Failed
from notifications.channels.slack import replies as slack
from notifications.channels.telegram import replies as telegram
from notifications.models import ChatRequest, ContactMethod
from notifications.services.answers import answer
from notifications.services.methods import address_key, link_by_code, methods_at, offer_link_code
from notifications.vocabulary import VERIFIED, RequestState
from users.models import User

log = structlog.get_logger(__name__)

PLATFORMS = {platform.kind: platform for platform in (slack.PLATFORM, telegram.PLATFORM)}
MOST = 50  # in one run
LEASE = Lease("next_at", dt.timedelta(seconds=60))
LINK_WAIT = dt.timedelta(minutes=10)  # as long as a code is valid
LINK_LOOK = dt.timedelta(seconds=2)
KEPT = dt.timedelta(days=14)
MOST_ATTEMPTS = 4
ACTIONS = frozenset({"acknowledge", "resolve", "take", "note"})


@dataclass(frozen=True)
class Result:
    """What is told, if anything, and what becomes of the request."""

    text: str
    state: RequestState = RequestState.ANSWERED
    next_at: dt.datetime | None = None
    asks_note: bool = False
    is_public: bool = False


def answer_due() -> int:
    """Do what waits, and what waited for an account that is linked by now."""
    done = 0
    for pk in _claimed(RequestState.WAITING, RequestState.UNLINKED):
        done += answer_one(pk)
    return done


def _claimed(*states: RequestState) -> Iterator[int]:
    """Claim due requests one by one: those behind one that fails are not held up."""
    for _number in range(MOST):
        now = database_now()
        due = ChatRequest.objects.filter(state__in=states, next_at__lte=now).order_by("next_at", "id")
        keys = LEASE.claim_many(due[:1], now)
        if not keys:
            return
        yield keys[0]


@unit_of_work
def answer_one(pk: int) -> bool:
    """Do a request and note its answer in one transaction."""
    request = ChatRequest.objects.select_for_update().get(pk=pk)
    platform = PLATFORMS.get(request.kind)
    if platform is None or request.state not in (RequestState.WAITING, RequestState.UNLINKED):
        return False
    now = database_now()
    result = _result(request, platform, now)
    if result is None:
        ChatRequest.objects.filter(pk=pk).update(next_at=now + LINK_LOOK)
        return False
    request.answer, request.state, request.asks_note = result.text, result.state, result.asks_note
    if result.is_public and (chat := request.reply.get("public")):
        request.reply = {"chat": chat}
    request.next_at = now if result.state == RequestState.ANSWERED else result.next_at
    request.save(update_fields=["answer", "state", "next_at", "asks_note", "reply"])
    wake("tell_chat")
    return True


def _result(request: ChatRequest, platform: Platform, now: dt.datetime) -> Result | None:
    """Answer in the asker's language; in the installation's own where nobody is known."""
    with reading(_language_of(request)):
        return _answered(request, platform, now)


def _answered(request: ChatRequest, platform: Platform, now: dt.datetime) -> Result | None:
    if request.action == HELP:
        return Result("\n".join(help_lines(platform.prefix, request.text)), is_public=True)
    try:
        if request.action == "link":
            return _link(request, platform)
        user = _person(request)
        return _act(request, user, platform, now) if user else _unlinked(request, platform, now)
    except DomainError as error:
        return Result(error.message)


def _person(request: ChatRequest) -> User | None:
    if found := methods_at(request.kind, request.address):
        return found[0].user
    key = address_key(request.kind, request.address)
    if ContactMethod.objects.filter(address_key=key, state__in=VERIFIED, user__is_active=False).exists():
        raise DomainError(_("Your account here is deactivated; ask an administrator."))
    return None


def _act(request: ChatRequest, user: User, platform: Platform, now: dt.datetime) -> Result:
    if request.action == "mine":
        return Result("\n".join(open_of(user)))
    if request.action == "oncall":
        return Result("\n".join(on_call_lines(request.text, now)))
    if request.action == "show" and request.number is not None:
        incident = (
            Incident.objects.visible_to(user).filter(pk=request.number).select_related("assignee", "team").first()
        )
        return Result("\n".join(incident_lines(incident)) if incident else _unknown(request.number))
    if request.action == "note" and not request.text:
        return Result(_("Note for %(incident)s") % {"incident": f"INC-{request.number}"}, asks_note=True)
    registered = action_named(request.action)
    if registered is not None and request.number is not None:
        return Result(shown(registered(user, request.number, request.text, platform.label)))
    if request.action not in ACTIONS or request.number is None:
        return Result(_("This button belongs to an earlier version; use the commands instead."))
    answered = answer(user, request.number, request.action, channel_name=platform.label, note=request.text)
    return Result(shown(answered.text))


def _unknown(number: int) -> str:
    return _("There is no %(incident)s.") % {"incident": f"INC-{number}"}


def _unlinked(request: ChatRequest, platform: Platform, now: dt.datetime) -> Result | None:
    """Offer a code once, then look whether it was used."""
    if request.state == RequestState.UNLINKED:
        if now < request.received_at + LINK_WAIT:
            return None
        return Result(request.answer, RequestState.EXPIRED)
    if request.data.get("is_public"):
        text = _(
            "This %(label)s account is not linked to an account here. "
            "Write to me in private, and I send you a code to link it."
        )
        return Result(text % {"label": platform.label}, is_public=True)
    code = offer_link_code(request.kind, request.address, request.data)
    text = _(
        "This %(label)s account is not linked to an account here. Enter the code %(code)s among your contact methods "
        "at %(address)s within 10 minutes; what you asked for is then done."
    )
    facts = {"label": platform.label, "code": code, "address": settings.PUBLIC_URL.rstrip("/")}
    return Result(text % facts, RequestState.UNLINKED, now + LINK_LOOK)


def _link(request: ChatRequest, platform: Platform) -> Result:
    code = request.text.strip()
    if not code:
        text = _("Add %(label)s to your contact methods, and send the code shown there: %(command)s")
        return Result(text % {"label": platform.label, "command": f"{platform.prefix}link CODE"})
    method = link_by_code(request.kind, request.address, code, request.data)
    ChatRequest.objects.filter(kind=request.kind, address=request.address, state=RequestState.UNLINKED).update(
        next_at=request.received_at
    )
    wake("answer_chat")
    text = _("This %(label)s account is now linked to %(name)s.")
    return Result(text % {"label": platform.label, "name": method.user.name})


def tell_due() -> int:
    """Send the answers that wait."""
    told = 0
    for pk in _offered():
        told += _tell(pk)
    for pk in _claimed(RequestState.ANSWERED):
        told += _tell(pk)
    return told


def _offered() -> Iterator[int]:
    """Take the codes not sent yet; a lost one is replaced when the button is pressed again."""
    waiting = ChatRequest.objects.filter(state=RequestState.UNLINKED, attempts=0)
    for pk in waiting.order_by("id").values_list("pk", flat=True)[:MOST]:
        if waiting.filter(pk=pk).update(attempts=1):
            yield pk


def _tell(pk: int) -> bool:
    request = ChatRequest.objects.get(pk=pk)
    platform = PLATFORMS.get(request.kind)
    wait: dt.timedelta | None = None
    try:
        if platform is not None and request.asks_note and request.number is not None:
            with reading(_language_of(request)):
                platform.ask_note(request.reply, request.number, f"INC-{request.number}")
        elif platform is not None:
            platform.tell(request.reply, request.answer)
    except Failed as failed:
        log.warning("chat_answer_not_sent", chat=request.kind, request=request.pk, detail=failed.detail)
        if not failed.is_permanent and request.attempts < MOST_ATTEMPTS:
            wait = dt.timedelta(seconds=failed.retry_after or 2.0 ** (request.attempts + 1))
    if request.state == RequestState.ANSWERED:
        _note_told(request, wait)
    return True


def _language_of(request: ChatRequest) -> str:
    known = methods_at(request.kind, request.address)
    return known[0].user.language if known else ""


def _note_told(request: ChatRequest, wait: dt.timedelta | None) -> None:
    rows = ChatRequest.objects.filter(pk=request.pk, state=request.state)
    if wait is not None:
        rows.update(attempts=request.attempts + 1, next_at=database_now() + wait)
    else:
        rows.update(attempts=request.attempts + 1, state=RequestState.DONE, next_at=None)


def prune(now: dt.datetime) -> int:
    """Delete old requests."""
    keys = ChatRequest.objects.filter(received_at__lt=now - KEPT).order_by("received_at").values_list("pk", flat=True)
    return ChatRequest.objects.filter(pk__in=list(keys[:1000])).delete()[0]
