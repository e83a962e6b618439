"""Plan the deliveries of pages: by the rules as they are now, frozen as rows with their due times."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.db.clock import database_now
from core.text.languages import reading
from core.text.sentences import Sentence, shown
from notifications.models import Delivery, Notification, RoomChannel, WebhookEndpoint
from notifications.rules import Way, quiet_until, ways_of
from notifications.services import inbox, outbox, recipients
from notifications.services.composing import Subject, headline
from notifications.services.loading import DEACTIVATED, QUIET
from notifications.services.needed import WITHDRAWN
from notifications.services.outbox import Target, new_delivery, of_method, of_room, of_webhook
from notifications.services.recipients import Recipient
from notifications.services.unreached import tell_failed_pages
from notifications.services.webhooks import is_echo
from notifications.vocabulary import SENT, Importance, Kind, MethodState, State
from paging.models import Page
from users.models import User

NOBODY = Sentence("No verified contact method.")
REMOVED = Sentence("%(name)s was removed or disabled.")
ECHO = Sentence("The incident came from %(name)s: it is not sent back.")
ROOM, WEBHOOK = "channel", "webhook"  # as targets of policies


def plan_pages(pages: Sequence[Page]) -> None:
    """Write the deliveries of new pages, in the transaction that writes the pages."""
    at = database_now()
    people = recipients.load({page.user_id for page in pages if page.user_id is not None})
    machines = _targets(pages)
    deliveries: list[Delivery] = []
    entries: list[Notification] = []
    for page in pages:
        if page.user_id is None:
            deliveries.append(_of_machine(page, machines, at))
            continue
        deliveries += _of_person(page, people.get(page.user_id), at)
        if page.user_id in people:
            entries.append(_entry(page, people[page.user_id].user, at))
    new = outbox.put(deliveries)
    inbox.put_entries(entries)
    tell_failed_pages([one.page_id for one in new if one.state == State.FAILED and one.page_id is not None], at)


def _of_person(page: Page, person: Recipient | None, at: dt.datetime) -> list[Delivery]:
    if person is None:
        return [_failed(page, DEACTIVATED.say(), at)]
    rule = person.rules.get(page.importance)
    methods = person.usable()
    ways = ways_of(rule.steps if rule else [], list(methods))
    if not ways:
        return [_failed(page, NOBODY.say(), at)]
    quiet_hours = rule.quiet_hours if rule and page.importance == Importance.LOW else {}
    made = [by_way(page, way, of_method(methods[way.method], person.user.name), at) for way in ways]
    held = [_hold(delivery, quiet_hours, person.user.time_zone) for delivery in made]
    ends = [end for end in held if end is not None]
    return [*made, *([_catch_up(person, at, min(ends))] if ends else [])]


def by_way(page: Page, way: Way, target: Target, at: dt.datetime) -> Delivery:
    """Return the delivery of a page by one of a person's methods."""
    cause = f"page:{page.pk}" + (f"#{way.repeat}" if way.repeat else "")
    due_at = at + dt.timedelta(minutes=way.after_minutes)
    content = {"fallback": True} if way.is_fallback else {}
    return _new(page, cause, target, at, due_at, content)


def _new(
    page: Page, cause: str, target: Target, at: dt.datetime, due_at: dt.datetime, content: Mapping[str, Any]
) -> Delivery:
    return new_delivery(
        cause,
        target,
        Kind.PAGE,
        at=at,
        due_at=due_at,
        importance=page.importance,
        incident_id=page.incident_id,
        page_id=page.pk,
        content=content,
    )


def _hold(delivery: Delivery, quiet_hours: Mapping[str, Any], zone: str) -> dt.datetime | None:
    """Hold a delivery that falls into quiet hours; return their end."""
    end = quiet_until(quiet_hours, zone, delivery.due_at)
    if end is not None:
        delivery.state, delivery.held_because = State.HELD, QUIET
        delivery.next_attempt_at = end
        delivery.gives_up_at = end + outbox.HORIZON[Kind.PAGE]
    return end


def _catch_up(person: Recipient, at: dt.datetime, end: dt.datetime) -> Delivery:
    """Return the note at the end of quiet hours on what passed meanwhile; one for all pages of these hours."""
    target = next(iter(person.mail_targets()), None) or of_method(
        next(iter(person.usable().values())), person.user.name
    )
    cause = f"quiet:{person.user.pk}:{end.isoformat()}"
    content = {"catch_up_since": at.isoformat()}
    return new_delivery(cause, target, Kind.NOTICE, at=at, due_at=end, content=content)


Machine = RoomChannel | WebhookEndpoint


def _of_machine(page: Page, machines: Mapping[tuple[str, int], Machine], at: dt.datetime) -> Delivery:
    machine = machines.get((page.target_kind, page.target_id))
    if machine is None:
        return _failed(page, REMOVED.say(name=page.target_name), at)
    if isinstance(machine, RoomChannel):
        return _new(page, f"page:{page.pk}", of_room(machine), at, at, {})
    if is_echo(machine, page.incident):
        return _failed(page, ECHO.say(name=machine.name), at)
    return _new(page, f"page:{page.pk}", of_webhook(machine), at, at, {})


def _targets(pages: Sequence[Page]) -> dict[tuple[str, int], Machine]:
    """Return the rooms and webhooks among the pages' targets that may be sent to."""
    ids = {page.target_id for page in pages if page.user_id is None}
    if not ids:
        return {}
    rooms = RoomChannel.objects.filter(pk__in=ids, is_enabled=True).exclude(state=MethodState.DISABLED)
    webhooks = WebhookEndpoint.objects.filter(pk__in=ids, is_enabled=True).exclude(state=MethodState.DISABLED)
    return {(ROOM, room.pk): room for room in rooms} | {(WEBHOOK, webhook.pk): webhook for webhook in webhooks}


def _failed(page: Page, reason: str, at: dt.datetime) -> Delivery:
    """Return a row that says in the ledger why nothing was sent."""
    target = Target("none", f"page:{page.pk}", page.target_name[:200], page.user_id)
    delivery = _new(page, f"page:{page.pk}", target, at, at, {})
    delivery.state, delivery.reason, delivery.next_attempt_at = State.FAILED, reason, None
    return delivery


def _entry(page: Page, user: User, at: dt.datetime) -> Notification:
    incident = page.incident
    with reading(user.language):
        title, body = headline(Subject(incident)), shown(page.message or page.why)
    return inbox.new_entry(
        f"page:{page.pk}",
        user.pk,
        Kind.PAGE,
        title,
        at=at,
        body=body,
        incident_id=incident.pk,
        importance=page.importance,
    )


def cancel_pages(page_ids: Collection[int], at: dt.datetime) -> None:
    """Cancel what waits for these pages, in the transaction that withdraws them."""
    of_pages = Delivery.objects.filter(page_id__in=page_ids)
    pending = of_pages.pending()
    # A message that waits to be sent again may carry others' incidents: those go on by themselves.
    carriers = list(pending.filter(bundle_count__gt=0, leased_until__isnull=True).values_list("pk", flat=True))
    pending.update(state=State.CANCELLED, reason=WITHDRAWN.say(), next_attempt_at=None)
    of_pages.filter(state__in=SENT).update(receipt_due_at=None, next_attempt_at=None)
    if carriers:
        Delivery.objects.pending().filter(bundle__in=carriers).update(bundle=None, next_attempt_at=at)


def undelivered(pages: Sequence[Page]) -> set[int]:
    """Return the ids of pages that nothing was planned for."""
    ids = {page.pk for page in pages}
    return ids - set(Delivery.objects.filter(page_id__in=ids).values_list("page_id", flat=True))
