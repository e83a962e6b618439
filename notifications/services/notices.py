"""Turn notices into inbox entries and deliveries."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from core.db.clock import database_now
from core.text.languages import reading
from core.text.sentences import shown
from notifications.channels.port import channel_of
from notifications.models import Delivery, Notification, RoomChannel
from notifications.services import inbox, outbox, recipients
from notifications.services.outbox import Target, new_delivery, of_account, of_method, of_room
from notifications.services.recipients import Recipient
from notifications.vocabulary import Importance, Kind, MethodState
from responders.notices import Notice


@dataclass(frozen=True)
class Told:
    """A notice as one person, or a room, reads it."""

    notice: Notice
    title: str
    body: str
    choices: list[list[str]]


def plan_notices(notices: Sequence[Notice]) -> None:
    """Write the entries and deliveries of notices, in the transaction that announces them."""
    at = database_now()
    people = recipients.load({user for notice in notices for user in notice.users})
    told = [
        (people[user], _written(notice, people[user].user.language))
        for notice in notices
        for user in sorted(set(notice.users))
        if user in people
    ]
    inbox.put_entries([_entry(one, person, at) for person, one in told])
    to_people = [_delivery(one, target, at) for person, one in told for target in targets_of(one.notice, person)]
    outbox.put([*to_people, *(_delivery(*post, at) for notice in notices for post in _posts(notice))])


def _written(notice: Notice, language: str) -> Told:
    with reading(language):
        choices = [[one.action, shown(one.label), one.value] for one in notice.choices]
        return Told(notice, shown(str(notice.title)), shown(str(notice.body)), choices)


def _posts(notice: Notice) -> list[tuple[Told, Target]]:
    """Return what the team's rooms are told."""
    if notice.team is None or not notice.choices:
        return []
    rooms = RoomChannel.objects.filter(team=notice.team, is_enabled=True).exclude(state=MethodState.DISABLED)
    written = _written(notice, settings.DEFAULT_LANGUAGE)
    return [(written, of_room(room)) for room in rooms if notice.event in room.events]


def targets_of(notice: Notice, person: Recipient) -> list[Target]:
    """Return where a notice goes.

    Mail; with choices, linked chats too; if urgent, every verified method; by every means, whatever there is.
    """
    if notice.by_every_means:
        return person.all_targets()
    if not notice.is_urgent:
        return [*person.mail_targets(), *(_chats(person) if notice.choices else ())]
    verified = [of_method(method, person.user.name) for method in person.usable().values()]
    return verified or person.mail_targets() or [of_account(person.user)]


def _chats(person: Recipient) -> list[Target]:
    linked = [one for one in person.usable().values() if (channel := channel_of(one.kind)) and channel.is_linked]
    return [of_method(method, person.user.name) for method in linked]


def _delivery(told: Told, target: Target, at: dt.datetime) -> Delivery:
    notice = told.notice
    return new_delivery(
        f"notice:{notice.key}",
        target,
        Kind.NOTICE,
        at=at,
        importance=_importance(notice),
        incident_id=notice.incident,
        content=content_of(told),
    )


def content_of(told: Told) -> dict[str, object]:
    """Return what a delivery keeps of a notice; `notice` names it to those who amend it."""
    content: dict[str, object] = {"title": told.title, "body": told.body, "path": told.notice.path}
    return {**content, "notice": told.notice.key, "choices": told.choices} if told.choices else content


def _entry(told: Told, person: Recipient, at: dt.datetime) -> Notification:
    notice = told.notice
    return inbox.new_entry(
        f"notice:{notice.key}",
        person.user.pk,
        Kind.NOTICE,
        told.title,
        at=at,
        body=told.body,
        incident_id=notice.incident,
        importance=_importance(notice),
        path=notice.path,
    )


def _importance(notice: Notice) -> str:
    return Importance.HIGH if notice.is_urgent or notice.by_every_means else Importance.LOW
