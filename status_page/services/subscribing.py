"""Take subscriptions with double opt-in, and end them."""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from core.actor import acting
from core.db import rows
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from notifications.channels.email.addresses import validate
from notifications.services.outbox import new_delivery, of_audience, put
from notifications.vocabulary import Kind, Priority
from status_page.links import LIFETIME, microseconds, read_confirmation, read_managed
from status_page.models import Component, Subscriber
from status_page.permissions import require_admin
from status_page.services.page import languages_of, the_page
from status_page.vocabulary import SubscriberState
from users.addresses import canonical
from users.models import User

AUDIENCE = "status"  # in the outbox
PAUSE = dt.timedelta(minutes=10)  # between two mails that ask one address to confirm, and ever longer
LONGEST_PAUSE = dt.timedelta(days=1)
KEPT = dt.timedelta(days=30)  # after the end of a subscription
MOST_IMPORTED = 10_000
PRUNED = 500


@dataclass(frozen=True)
class Request:
    """What somebody asks for; no components means all."""

    email: str
    language: str = ""
    components: Collection[int] = ()


def key_of(email: str) -> str:
    """Return what makes an address unique."""
    return hashlib.sha256(canonical(email).encode()).hexdigest()


@unit_of_work
def subscribe(request: Request, *, now: dt.datetime) -> Subscriber:
    """Have a mail ask the address to confirm; nothing is in effect before. Raises DomainError.

    An address that was asked within the last 10 minutes is not asked again, nor for ever longer after each mail.
    """
    page = the_page()
    if not page.takes_subscribers:
        raise PermissionRefused(_("This page takes no subscriptions by email."))
    email = _valid(request.email)
    language = _spoken(request.language)
    asked = {"components": _known(request.components), "language": language}
    subscriber, _is_new = Subscriber.objects.select_for_update().get_or_create(
        email_key=key_of(email),
        defaults={"email": email, "language": language, "created_at": now, "expires_at": now + LIFETIME},
    )
    is_early = subscriber.asked_at is not None and now < subscriber.asked_at + _pause(subscriber)
    if is_early and subscriber.asked == asked:
        return subscriber
    subscriber.asked = asked
    if not is_early:
        subscriber.asked_at = now
        _ask(subscriber, now)
    if subscriber.state == SubscriberState.UNSUBSCRIBED:
        subscriber.state = SubscriberState.PENDING
    if subscriber.state == SubscriberState.PENDING:
        subscriber.expires_at = now + LIFETIME
    subscriber.save(update_fields=["asked", "asked_at", "state", "expires_at"])
    return subscriber


def _pause(subscriber: Subscriber) -> dt.timedelta:
    """Return how long after a mail the next may follow: twice as long each time, a day at most."""
    since = (subscriber.asked_at or subscriber.created_at) - subscriber.created_at
    return max(PAUSE, min(since, LONGEST_PAUSE))


def _ask(subscriber: Subscriber, now: dt.datetime) -> None:
    target = of_audience(AUDIENCE, subscriber.pk, subscriber.email)
    content = {"audience": AUDIENCE, "subscriber": subscriber.pk}
    cause = f"status:confirm:{microseconds(now)}"
    put([new_delivery(cause, target, Kind.STATUS, at=now, content=content, priority=Priority.PERSONAL)])


@unit_of_work
def confirm(token: str, *, now: dt.datetime) -> Subscriber:
    """Put into effect what was asked for. Raises NotFound for a link that is spent or too old."""
    subscriber = confirmable(token, now=now, is_locked=True)
    if not subscriber.asked:
        return subscriber
    components = Component.objects.active().filter(pk__in=subscriber.asked.get("components", []))
    subscriber.language = subscriber.asked.get("language") or subscriber.language
    subscriber.state, subscriber.asked = SubscriberState.ACTIVE, {}
    subscriber.confirmed_at = subscriber.confirmed_at or now
    subscriber.unsubscribed_at = subscriber.expires_at = None
    subscriber.save(update_fields=["language", "state", "asked", "confirmed_at", "unsubscribed_at", "expires_at"])
    subscriber.components.set(components)
    return subscriber


def confirmable(token: str, *, now: dt.datetime, is_locked: bool = False) -> Subscriber:
    """Return whose request the link confirms; confirming once more changes nothing. Raises NotFound."""
    named = read_confirmation(token)
    found = _one(named.subscriber, is_locked=is_locked) if named else None
    is_spent = (
        found is None
        or named is None
        or found.asked_at is None
        or microseconds(found.asked_at) != named.asked
        or found.state == SubscriberState.UNSUBSCRIBED
        or found.asked_at < now - LIFETIME
    )
    if found is None or is_spent:
        raise NotFound(_("This link is no longer valid. Subscribe again to get a new one."))
    return found


@unit_of_work
def unsubscribe(token: str, *, now: dt.datetime) -> Subscriber:
    """End a subscription; ending it again changes nothing. Raises NotFound."""
    subscriber = managed(token, is_locked=True)
    end_subscription(subscriber, now=now)
    return subscriber


def end_subscription(subscriber: Subscriber, *, now: dt.datetime) -> None:
    """Have nothing more sent, also of what is planned; the row is removed after 30 days."""
    if subscriber.state == SubscriberState.UNSUBSCRIBED:
        return
    subscriber.state, subscriber.asked = SubscriberState.UNSUBSCRIBED, {}
    subscriber.unsubscribed_at, subscriber.expires_at = now, now + KEPT
    subscriber.save(update_fields=["state", "asked", "unsubscribed_at", "expires_at"])


@unit_of_work
def end_by_admin(subscriber: Subscriber, *, by: User, now: dt.datetime) -> None:
    """End somebody's subscription. Administrators only."""
    require_admin(by)
    locked = _one(subscriber.pk, is_locked=True)
    if locked is not None:
        with acting(by):
            end_subscription(locked, now=now)


@unit_of_work
def choose(token: str, *, components: Collection[int], language: str) -> Subscriber:
    """Change what a confirmed subscriber is told of, and in which language. Raises NotFound."""
    subscriber = managed(token, is_locked=True)
    if subscriber.state != SubscriberState.ACTIVE:
        raise NotFound(_("This subscription has ended. Subscribe again on the status page."))
    subscriber.language = _spoken(language)
    subscriber.save(update_fields=["language"])
    subscriber.components.set(_known(components))
    return subscriber


def managed(token: str, *, is_locked: bool = False) -> Subscriber:
    """Return whose subscription a link of a mail manages. Raises NotFound."""
    number = read_managed(token)
    found = _one(number, is_locked=is_locked) if number is not None else None
    if found is None:
        raise NotFound(_("This subscription does not exist any more."))
    return found


@unit_of_work
def import_subscribers(requests: Iterable[Request], *, by: User, now: dt.datetime) -> int:
    """Add addresses whose consent is on record elsewhere, confirmed; return how many are new.

    Known addresses are left as they are: who unsubscribed stays so. Raises DomainError for a wrong row, which is named,
    and Conflict where another import adds the same addresses.
    """
    require_admin(by)
    wanted = _checked(list(requests), now)
    known = {row.email_key for row in rows.select_in(Subscriber, "email_key", wanted)}
    new = [subscriber for key, (subscriber, _components) in wanted.items() if key not in known]
    try:
        Subscriber.objects.bulk_create(new, batch_size=500)
    except IntegrityError as error:
        raise Conflict(_("Some of these addresses were added meanwhile. Import them again.")) from error
    through = Subscriber.components.through
    ids = {row.email_key: row.pk for row in rows.select_in(Subscriber, "email_key", [one.email_key for one in new])}
    links = [through(subscriber_id=ids[key], component_id=component) for key in ids for component in wanted[key][1]]
    through.objects.bulk_create(links, batch_size=500)
    return len(new)


def _checked(requests: list[Request], now: dt.datetime) -> dict[str, tuple[Subscriber, list[int]]]:
    if len(requests) > MOST_IMPORTED:
        raise DomainError(
            _("At most %(imported)s subscribers are imported at once.") % {"imported": f"{MOST_IMPORTED:,}"},
            field="subscribers",
        )
    made: dict[str, tuple[Subscriber, list[int]]] = {}
    known = set(Component.objects.active().values_list("pk", flat=True))
    languages = languages_of(the_page())
    for number, request in enumerate(requests, 1):
        try:
            email = _valid(request.email)
            components = _known(request.components, known)
            language = _spoken(request.language, languages)
        except DomainError as error:
            raise DomainError(
                _("Subscriber %(number)s: %(message)s") % {"number": number, "message": error.message},
                field="subscribers",
            ) from error
        key = key_of(email)
        fields: Mapping[str, Any] = {"state": SubscriberState.ACTIVE, "created_at": now, "confirmed_at": now}
        made[key] = (Subscriber(email=email, email_key=key, language=language, **fields), components)
    return made


@unit_of_work
def prune(now: dt.datetime) -> int:
    """Remove requests that nobody confirmed, and what remains of ended subscriptions."""
    ids = list(Subscriber.objects.expired(now).order_by("expires_at").values_list("pk", flat=True)[:PRUNED])
    Subscriber.objects.filter(pk__in=ids, expires_at__lte=now).delete()
    return len(ids)


def _one(number: int, *, is_locked: bool) -> Subscriber | None:
    found = Subscriber.objects.select_for_update() if is_locked else Subscriber.objects.all()
    return found.filter(pk=number).first()


def _valid(email: str) -> str:
    try:
        return validate(email)
    except DomainError as error:
        raise DomainError(error.message, field="email") from error


def _known(components: Collection[int], active: Collection[int] | None = None) -> list[int]:
    """Return the components, sorted; those that left the page are refused."""
    wanted = sorted(set(components))
    known = set(Component.objects.active().values_list("pk", flat=True)) if active is None else set(active)
    if wrong := [number for number in wanted if number not in known]:
        raise DomainError(_("Component %(id)s is not on the page.") % {"id": wrong[0]}, field="components")
    return wanted


def _spoken(language: str, languages: list[str] | None = None) -> str:
    languages = languages or languages_of(the_page())
    if language and language not in languages:
        raise DomainError(_("The page does not speak %(language)s.") % {"language": language[:20]}, field="language")
    return language or languages[0]
