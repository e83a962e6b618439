"""Read what messages are made of, for all of a claim at once."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db.models import Min

from core.db import rows
from core.text.languages import STORED
from core.text.sentences import Sentence
from incidents.models import Incident, IncidentEvent
from incidents.permissions import can_see
from notifications.audiences import Letter
from notifications.channels.port import Address, Channel, Failed
from notifications.models import (
    ContactMethod,
    Delivery,
    DeliveryAttempt,
    DeliveryQuerySet,
    RoomChannel,
    WebhookEndpoint,
)
from notifications.services import tokens
from notifications.services.bundling import Claimed
from notifications.services.composing import Parcel, Reader, Subject, compose
from notifications.services.needed import Causes, causes_of, with_teams
from notifications.services.outbox import ACCOUNT, EMAIL
from notifications.services.tokens import Answering, Pair
from notifications.services.webhooks import address_of
from notifications.vocabulary import VERIFIED, Importance, Kind, MethodState, State
from paging.models import EscalationRun, Page
from users.models import User

log = structlog.get_logger(__name__)

NO_PAIR = Pair("", "")
UNSAYABLE = (LookupError, TypeError, ValueError, AttributeError)  # rows that nobody foresaw
QUIET = Sentence("Quiet hours").say()  # why such pages are held
DEACTIVATED = Sentence("The account is deactivated.")
REMOVED = Sentence("The contact method, channel or webhook was removed.")
METHOD_DISABLED = Sentence("The contact method is disabled: %(why)s")
NOT_VERIFIED = Sentence("The contact method is not verified.")
CHANNEL_DISABLED = Sentence("The channel is disabled.")
WEBHOOK_DISABLED = Sentence("The webhook is disabled.")


@dataclass
class Loaded:
    """Rows by id."""

    users: dict[int, User]
    methods: dict[int, ContactMethod]
    rooms: dict[int, RoomChannel]
    webhooks: dict[int, WebhookEndpoint]
    incidents: dict[int, Incident]
    pages: dict[int, Page]
    events: dict[int, IncidentEvent]
    next_steps: dict[int, dt.datetime]
    tried: dict[int, list[str]]
    originals: dict[int, str]
    letters: Mapping[int, Letter | str] = field(default_factory=dict)
    is_for_programs: bool = False
    pairs: dict[int, Pair] = field(default_factory=dict)
    sights: dict[tuple[int, int], bool] = field(default_factory=dict)


def load(
    channel: Channel,
    claimed: Sequence[Claimed],
    causes: Causes,
    letters: Mapping[int, Letter | str],
    now: dt.datetime,
) -> list[tuple[Claimed, Parcel]]:
    """Give each its address, or the reason why it cannot be sent; return what the messages say."""
    loaded = _load(claimed, causes)
    loaded.letters, loaded.is_for_programs = letters, channel.is_for_programs
    for one in claimed:
        one.address, one.failure = _address(channel, one.delivery, loaded, now)
        if channel.admit and one.address:
            waives = _has_first_page(one)
            if reason := channel.admit(one.delivery.user_id, one.address.value, now, waives):
                one.failure = Failed(reason, is_permanent=True)
    loaded.pairs = _pairs([one.delivery for one in claimed if one.failure is None], now)
    parcels = []
    for one in claimed:
        if one.failure is None:
            with _failing_alone(one):
                parcels.append((one, _parcel(one, loaded, now)))
    return parcels


def compose_messages(parcels: Iterable[tuple[Claimed, Parcel]]) -> None:
    """Write the messages, without the database."""
    for one, parcel in parcels:
        with _failing_alone(one):
            one.message = compose(parcel)


@contextmanager
def _failing_alone(one: Claimed) -> Iterator[None]:
    """Have a message that cannot be written keep no others from being sent."""
    try:
        yield
    except UNSAYABLE as error:
        log.error("message_not_composed", delivery=one.delivery.pk, exc_info=error)
        one.failure = Failed(f"{type(error).__name__} while the message was written; see the worker's log.")


def _has_first_page(one: Claimed) -> bool:
    """Return whether the message brings a person an incident's first page of high importance."""
    urgent = [
        row for row in (one.delivery, *one.carried) if row.kind == Kind.PAGE and row.importance == Importance.HIGH
    ]
    pages = Delivery.objects.filter(kind=Kind.PAGE, importance=Importance.HIGH, user=one.delivery.user_id)
    pages = pages.filter(incident__in={row.incident_id for row in urgent})
    firsts = set(pages.values("incident").annotate(first=Min("page_id")).values_list("first", flat=True).order_by())
    return any(row.page_id in firsts for row in urgent)


def _load(claimed: Sequence[Claimed], causes: Causes) -> Loaded:
    leads = [one.delivery for one in claimed]
    every = [*leads, *(row for one in claimed for row in one.carried)]
    pages = [row for row in leads if row.kind == Kind.PAGE]
    further = causes_of([row for row in every if row.incident_id not in causes.incidents])
    return Loaded(
        users=rows.by_id(User, _ids(leads, "user_id")),
        methods=rows.by_id(ContactMethod, _ids(leads, "method_id")),
        rooms=rows.by_id(RoomChannel, _ids(leads, "room_id")),
        webhooks=rows.by_id(WebhookEndpoint, _ids(leads, "webhook_id")),
        incidents=causes.incidents | further.incidents,
        pages=causes.pages,
        events=rows.by_id(IncidentEvent, _ids(every, "event_id")),
        next_steps=_next_steps(_ids(pages, "incident_id")),
        tried=_tried([row.pk for row in leads if row.attempt_count > 1]),
        originals=_originals({row.content["edits_of"] for row in leads if "edits_of" in row.content}),
    )


def _ids(deliveries: Collection[Delivery], name: str) -> list[int]:
    return sorted({number for row in deliveries if (number := getattr(row, name)) is not None})


def _next_steps(incident_ids: Collection[int]) -> dict[int, dt.datetime]:
    if not incident_ids:
        return {}
    runs = EscalationRun.objects.current().filter(incident__in=incident_ids, next_step_at__isnull=False)
    return {incident: at for incident, at in runs.values_list("incident_id", "next_step_at") if at is not None}


def _tried(ids: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    attempts = DeliveryAttempt.objects.filter(delivery__in=ids).exclude(provider="").order_by("delivery", "number")
    for delivery, provider in attempts.values_list("delivery_id", "provider") if ids else ():
        found.setdefault(delivery, []).append(provider)
    return found


def _originals(ids: Collection[int]) -> dict[int, str]:
    return dict(Delivery.objects.filter(pk__in=ids).values_list("pk", "provider_id")) if ids else {}


def _address(
    channel: Channel, delivery: Delivery, loaded: Loaded, now: dt.datetime
) -> tuple[Address | None, Failed | None]:
    """Return where a delivery goes, or why it goes nowhere."""
    if delivery.user_id is not None and not loaded.users[delivery.user_id].is_active:
        return None, Failed(DEACTIVATED.say(), is_permanent=True)
    if isinstance(letter := loaded.letters.get(delivery.pk), Letter):
        return Address(letter.address), None
    if delivery.room_id is not None:
        return _room_address(loaded.rooms[delivery.room_id])
    if delivery.webhook_id is not None:
        return _webhook_address(loaded.webhooks[delivery.webhook_id], now)
    if delivery.method_id is not None:
        return _method_address(loaded.methods[delivery.method_id], delivery)
    if delivery.user_id is not None and channel.kind == EMAIL and delivery.content.get("to") == ACCOUNT:
        return Address(loaded.users[delivery.user_id].email), None
    return None, Failed(REMOVED.say(), is_permanent=True)


def _method_address(method: ContactMethod, delivery: Delivery) -> tuple[Address | None, Failed | None]:
    if method.state == MethodState.DISABLED:
        return None, Failed(METHOD_DISABLED.say(why=method.reason)[:300], is_permanent=True)
    if method.state not in VERIFIED and delivery.kind == Kind.PAGE:
        return None, Failed(NOT_VERIFIED.say(), is_permanent=True)
    return Address(method.address, method.data), None


def _room_address(room: RoomChannel) -> tuple[Address | None, Failed | None]:
    if not room.is_enabled or room.state == MethodState.DISABLED:
        return None, Failed(CHANNEL_DISABLED.say(), is_permanent=True)
    return Address(room.address, room.data, is_trusted=True), None


def _webhook_address(webhook: WebhookEndpoint, now: dt.datetime) -> tuple[Address | None, Failed | None]:
    if not webhook.is_enabled or webhook.state == MethodState.DISABLED:
        return None, Failed(WEBHOOK_DISABLED.say(), is_permanent=True)
    return address_of(webhook, now), None


def _pairs(deliveries: Sequence[Delivery], now: dt.datetime) -> dict[int, Pair]:
    wanted = [
        Answering(row.user_id, row.incident_id, row.pk)
        for row in deliveries
        if row.kind == Kind.PAGE and row.user_id is not None and row.incident_id is not None
    ]
    return tokens.new_pairs(wanted, now) if wanted else {}


def _parcel(one: Claimed, loaded: Loaded, now: dt.datetime) -> Parcel:
    delivery = one.delivery
    user = loaded.users.get(delivery.user_id or 0)
    pair, letter = loaded.pairs.get(delivery.pk, NO_PAIR), loaded.letters.get(delivery.pk)
    return Parcel(
        delivery=delivery,
        reader=_reader(user, letter, is_for_programs=loaded.is_for_programs),
        now=now,
        public_url=settings.PUBLIC_URL.rstrip("/"),
        subject=_subject(delivery, user, loaded),
        carried=[subject for row in one.carried if (subject := _subject(row, user, loaded)) is not None],
        next_step_at=loaded.next_steps.get(delivery.incident_id or 0),
        token=pair.token,
        code=pair.code,
        tried=loaded.tried.get(delivery.pk, ()),
        edits=loaded.originals.get(delivery.content.get("edits_of", 0), ""),
        passed=_passed(delivery, user, loaded) if "catch_up_since" in delivery.content else (),
        letter=letter if isinstance(letter, Letter) else None,
    )


def _reader(user: User | None, letter: Letter | str | None, *, is_for_programs: bool) -> Reader:
    if isinstance(letter, Letter):
        return Reader(language=letter.language, time_zone=letter.time_zone, is_staff=False)
    if user is not None:
        return Reader(user.name, user.language, user.time_zone, user.is_staff)
    return Reader(language=STORED if is_for_programs else settings.DEFAULT_LANGUAGE)


def _subject(delivery: Delivery, user: User | None, loaded: Loaded) -> Subject | None:
    incident = loaded.incidents.get(delivery.incident_id or 0)
    if incident is None:
        return None
    page, event = loaded.pages.get(delivery.page_id or 0), loaded.events.get(delivery.event_id or 0)
    return Subject(incident, _sees(user, incident, loaded), page, event)


def _sees(user: User | None, incident: Incident, loaded: Loaded) -> bool:
    """Return whether the reader may know more than the reference; rooms and machines may not, of restricted ones."""
    if user is None:
        return not incident.is_restricted
    key = (user.pk, incident.pk)
    if key not in loaded.sights:
        loaded.sights[key] = can_see(user, incident)
    return loaded.sights[key]


def passed_during(delivery: Delivery) -> DeliveryQuerySet:
    """Select the pages that quiet hours held and that were withdrawn meanwhile."""
    return Delivery.objects.filter(
        kind=Kind.PAGE,
        user=delivery.user_id,
        created_at__gte=delivery.content["catch_up_since"],
        created_at__lt=delivery.due_at,
        held_because=QUIET,
        state=State.CANCELLED,
    )


def _passed(delivery: Delivery, user: User | None, loaded: Loaded) -> list[Subject]:
    ids = set(passed_during(delivery).values_list("incident_id", flat=True))
    incidents = with_teams(rows.by_id(Incident, ids))
    return [Subject(incident, _sees(user, incident, loaded)) for _pk, incident in sorted(incidents.items())]
