"""Turn notices into inbox entries and deliveries."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from core.db.clock import database_now
from core.text.languages import reading
from core.text.sentences import shown
from notifications.models import Delivery, Notification
from notifications.services import inbox, outbox, recipients
from notifications.services.outbox import Target, new_delivery, of_account, of_method
from notifications.services.recipients import Recipient
from notifications.vocabulary import Importance, Kind
from responders.notices import Notice
from users.models import User


@dataclass(frozen=True)
class Told:
    """A notice as one person reads it."""

    notice: Notice
    person: Recipient
    title: str
    body: str


def plan_notices(notices: Sequence[Notice]) -> None:
    """Write the entries and deliveries of notices, in the transaction that announces them."""
    at = database_now()
    people = recipients.load({user for notice in notices for user in notice.users})
    told = [
        Told(notice, people[user], *_written(notice, people[user].user))
        for notice in notices
        for user in sorted(set(notice.users))
        if user in people
    ]
    inbox.put_entries([_entry(one, at) for one in told])
    outbox.put([_delivery(one, target, at) for one in told for target in targets_of(one.notice, one.person)])


def _written(notice: Notice, user: User) -> tuple[str, str]:
    with reading(user.language):
        return shown(str(notice.title)), shown(str(notice.body))


def targets_of(notice: Notice, person: Recipient) -> list[Target]:
    """Return where a notice goes: mail; if urgent, every verified method; by every means, whatever there is."""
    if notice.by_every_means:
        return person.all_targets()
    if not notice.is_urgent:
        return person.mail_targets()
    verified = [of_method(method, person.user.name) for method in person.usable().values()]
    return verified or person.mail_targets() or [of_account(person.user)]


def _delivery(told: Told, target: Target, at: dt.datetime) -> Delivery:
    notice = told.notice
    return new_delivery(
        f"notice:{notice.key}",
        target,
        Kind.NOTICE,
        at=at,
        importance=_importance(notice),
        incident_id=notice.incident,
        content={"title": told.title, "body": told.body, "path": notice.path},
    )


def _entry(told: Told, at: dt.datetime) -> Notification:
    notice = told.notice
    return inbox.new_entry(
        f"notice:{notice.key}",
        told.person.user.pk,
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
