"""Plan what the feed's events are told, and to whom."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from core.db import rows
from core.db.clock import database_now
from core.text.languages import reading
from incidents.models import EventKind, Incident, IncidentEvent, Subscription, Visibility
from notifications.channels.port import channel_of
from notifications.models import Delivery, Notification, RoomChannel, WebhookEndpoint
from notifications.services import inbox, outbox, recipients
from notifications.services.composing import Subject, update_line
from notifications.services.outbox import new_delivery, of_room, of_webhook
from notifications.services.recipients import Recipient
from notifications.services.webhooks import is_echo
from notifications.vocabulary import SENT, SUBSCRIBER_EVENTS, Kind, MethodState, Priority, State

CURSOR = "notifications"
EDIT_SECONDS = 2.0  # edits of one message gather for so long
# Changes that a message about an incident shows.
SHOWN = frozenset(
    {
        *(EventKind.ACKNOWLEDGED, EventKind.STARTED, EventKind.HELD, EventKind.RESUMED, EventKind.RESOLVED),
        *(EventKind.CLOSED, EventKind.REOPENED, EventKind.SEVERITY_CHANGED, EventKind.ASSIGNEE_CHANGED),
        *(EventKind.FIELD_CHANGED, EventKind.TEAM_CHANGED),
    }
)


def plan_events(events: Sequence[IncidentEvent]) -> None:
    """Write deliveries and inbox entries of events, in the transaction that moves the cursor."""
    at = database_now()
    rooms = list(RoomChannel.objects.filter(is_enabled=True).exclude(state=MethodState.DISABLED))
    webhooks = list(WebhookEndpoint.objects.filter(is_enabled=True).exclude(state=MethodState.DISABLED))
    ways: list[RoomChannel | WebhookEndpoint] = [*rooms, *webhooks]
    asked_for = {kind for way in ways for kind in way.events}
    told = _with_incidents(
        [event for event in events if event.kind in SHOWN | asked_for or concerns_subscribers(event)]
    )
    deliveries = [*_for_people(told, at), *_for_rooms(told, rooms, at), *_for_webhooks(told, webhooks, at)]
    outbox.put(deliveries)
    _plan_edits(told, at)


def _with_incidents(events: Sequence[IncidentEvent]) -> list[IncidentEvent]:
    """Read the incidents of events; return the events of those that were not deleted."""
    incidents = rows.by_id(Incident, (event.incident_id for event in events))
    shown = [event for event in events if event.incident_id in incidents]
    for event in shown:
        event.incident = incidents[event.incident_id]
    return [event for event in shown if event.incident.deleted_at is None]


def concerns_subscribers(event: IncidentEvent) -> bool:
    """Return whether subscribers and the reporter are told of an event."""
    if event.kind == EventKind.COMMENT:
        return event.visibility == Visibility.PUBLIC
    return event.kind in SUBSCRIBER_EVENTS


def _for_people(events: Iterable[IncidentEvent], at: dt.datetime) -> list[Delivery]:
    """Return mails to followers but the actor; write their inbox entries."""
    concerned = [event for event in events if concerns_subscribers(event)]
    followers = _followers({event.incident_id for event in concerned})
    people = recipients.load({user for users in followers.values() for user in users})
    deliveries: list[Delivery] = []
    entries: list[Notification] = []
    for event in concerned:
        for user_id in sorted(followers[event.incident_id] - {event.actor_id or 0}):
            person = people.get(user_id)
            if person is not None:  # whoever follows an incident sees it
                deliveries += _mails(event, person, at)
                entries.append(_entry(event, person, at))
    inbox.put_entries(entries)
    return deliveries


def _followers(incident_ids: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    following = Subscription.objects.filter(incident__in=incident_ids)
    for incident, user in following.values_list("incident_id", "user_id") if incident_ids else ():
        found[incident].add(user)
    return found


def _mails(event: IncidentEvent, person: Recipient, at: dt.datetime) -> list[Delivery]:
    return [_update(event, target, at) for target in person.mail_targets()]


def _update(event: IncidentEvent, target: outbox.Target, at: dt.datetime) -> Delivery:
    return new_delivery(
        f"event:{event.pk}", target, Kind.UPDATE, at=at, incident_id=event.incident_id, event_id=event.pk
    )


def _entry(event: IncidentEvent, person: Recipient, at: dt.datetime) -> Notification:
    with reading(person.user.language):
        title = update_line(Subject(event.incident, event=event))
    return inbox.new_entry(
        f"event:{event.pk}",
        person.user.pk,
        Kind.UPDATE,
        title,
        at=at,
        body=event.body,
        incident_id=event.incident_id,
    )


def _is_told(way: RoomChannel | WebhookEndpoint, event: IncidentEvent) -> bool:
    """Return whether a room or webhook wants an event: never what is internal but for its kind's own facts."""
    if event.kind not in way.events or (event.body and event.visibility != Visibility.PUBLIC):
        return False
    if way.team_id is not None:
        return way.team_id == event.incident.team_id
    return not event.incident.is_restricted or isinstance(way, WebhookEndpoint)


def _for_rooms(events: Iterable[IncidentEvent], rooms: Sequence[RoomChannel], at: dt.datetime) -> list[Delivery]:
    return [_update(event, of_room(room), at) for event in events for room in rooms if _is_told(room, event)]


def _for_webhooks(
    events: Iterable[IncidentEvent], webhooks: Sequence[WebhookEndpoint], at: dt.datetime
) -> list[Delivery]:
    return [
        _update(event, of_webhook(hook), at)
        for event in events
        for hook in webhooks
        if _is_told(hook, event) and not is_echo(hook, event.incident, event)
    ]


def _plan_edits(events: Iterable[IncidentEvent], at: dt.datetime) -> None:
    """Have earlier messages show the present state, by one edit each."""
    changed = {event.incident_id: event for event in events if event.kind in SHOWN}
    if not changed:
        return
    sent = Delivery.objects.filter(incident__in=changed, state__in=SENT, kind__in=(Kind.PAGE, Kind.UPDATE))
    sent = sent.filter(bundle__isnull=True, bundle_count=0).exclude(provider_id="").exclude(priority=Priority.EDIT)
    originals = [row for row in sent.order_by("id") if (channel := channel_of(row.channel)) and channel.can_edit]
    firsts = {(row.incident_id, row.channel, row.room_id, row.method_id): row for row in reversed(originals)}
    edits = [_edit(row, changed[row.incident_id or 0], at) for row in firsts.values()]
    known = {row.key: row for row in Delivery.objects.filter(key__in=[edit.key for edit in edits])}
    for edit in edits:
        if edit.key in known:
            _rearm(known[edit.key], edit)
    outbox.put(edits)


def _edit(original: Delivery, event: IncidentEvent, at: dt.datetime) -> Delivery:
    target = outbox.Target(
        original.channel,
        f"edit:{original.pk}",
        original.recipient,
        original.user_id,
        original.method_id,
        original.room_id,
    )
    return new_delivery(
        "edit",
        target,
        Kind.UPDATE,
        at=at,
        due_at=at + dt.timedelta(seconds=EDIT_SECONDS),
        priority=Priority.EDIT,
        incident_id=original.incident_id,
        page_id=original.page_id,
        event_id=event.pk,
        content={"edits_of": original.pk},
    )


def _rearm(row: Delivery, edit: Delivery) -> None:
    """Have an edit made again; one that waits already will show the newest state."""
    if row.state in (State.WAITING, State.HELD) and row.leased_until is None:
        return
    Delivery.objects.filter(pk=row.pk).update(
        state=State.WAITING,
        event=edit.event_id,
        due_at=edit.due_at,
        next_attempt_at=edit.due_at,
        gives_up_at=edit.gives_up_at,
        leased_until=None,
    )
