"""Answers by SMS: only from the number that the page went to."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.text.languages import reading
from core.text.sentences import Sentence
from notifications.channels.phone.answering import Page, answer_page, page_in
from notifications.channels.phone.numbers import voice_number
from notifications.channels.phone.segments import fit, plain
from notifications.channels.sms.replies import Reply, parse
from notifications.models import ContactMethod, Delivery
from notifications.services.methods import disable, methods_at
from notifications.services.tokens import find_reply_code, new_reply_code
from notifications.vocabulary import SENT, Kind

CHANNEL_NAME = "SMS"
MOST_SEGMENTS = 2
MOST_LISTED = 4
HELP = _(
    "Reply with the code of the page and A to acknowledge, R to resolve, T to take, N and a note. STOP ends these SMS."
)
UNKNOWN_CODE = _("This code is unknown, has expired, or belongs to a page sent elsewhere.")
NOTHING_OPEN = _("No page to this number waits for an answer.")
STOPPED = Sentence("The person replied STOP.")


def answer_sms(number: str, text: str) -> str:
    """Do what an SMS asks; return what to answer, "" for nothing.

    Strangers get no answer: it would cost money, and two machines could talk for ever.
    """
    methods = _methods_of(number)
    reply = parse(text)
    if reply.action == "stop":
        for method in methods:
            disable(method, STOPPED.say())
        return ""  # the carrier confirms it
    if not methods:
        return ""
    with reading(methods[0].user.language):
        return plain(fit(_answer(methods, reply), "", MOST_SEGMENTS))


def _methods_of(number: str) -> list[ContactMethod]:
    try:
        return methods_at("sms", voice_number(number))
    except DomainError:
        return []


def _answer(methods: list[ContactMethod], reply: Reply) -> str:
    if not reply.action or reply.action == "help":
        return str(HELP)
    page = _page_by_code(methods, reply.code) if reply.code else None
    if reply.code and page is None:
        return str(UNKNOWN_CODE)
    if page is None:
        open_pages = _open_pages(methods)
        if len(open_pages) != 1:
            return _which(open_pages)
        page = open_pages[0]
    return answer_page(page, reply.action, channel_name=CHANNEL_NAME, note=reply.note).text


def _page_by_code(methods: list[ContactMethod], code: str) -> Page | None:
    for method in methods:
        token = find_reply_code(method.user_id, code)
        if token and token.delivery and token.delivery.method_id == method.pk:
            return page_in(token.delivery)
    return None


def _open_pages(methods: list[ContactMethod]) -> list[Page]:
    """Return the newest page of each incident that waits for an answer by these methods."""
    sent = Delivery.objects.filter(kind=Kind.PAGE, method__in=methods, state__in=SENT, answered_at__isnull=True)
    newest: dict[tuple[int | None, int | None], Page] = {}
    for delivery in sent.select_related("user").order_by("-id")[:100]:
        page = page_in(delivery)
        if page and page.is_open:
            newest.setdefault((delivery.user_id, delivery.incident_id), page)
    return list(newest.values())


def _which(pages: list[Page]) -> str:
    if not pages:
        return str(NOTHING_OPEN)
    listed = ", ".join(
        gettext("%(code)s for %(incident)s")
        % {
            "code": new_reply_code(page.user.pk, page.incident, page.delivery.pk),
            "incident": f"INC-{page.incident}",
        }
        for page in pages[:MOST_LISTED]
    )
    text = gettext("%(count)s pages wait. Reply with a code first: %(codes)s.")
    return text % {"count": len(pages), "codes": listed}
