"""Builders for tests."""

import datetime as dt
from typing import Any
from unittest import mock

from incidents.models import Incident
from incidents.tests.factories import make_incident
from notifications.channels.port import Channel
from notifications.channels.webhook.signing import new_secret
from notifications.models import ContactMethod, Delivery, NotificationRule, RoomChannel, WebhookEndpoint
from notifications.services.methods import address_key
from notifications.services.outbox import new_delivery, of_method, put
from notifications.services.sending import sender_of
from notifications.vocabulary import Importance, Kind, MethodState
from paging.models import Page
from paging.pages import hand_over
from users.models import User
from users.tests.factories import make_responder

_numbers = iter(range(1, 10**9))


def make_method(user: User, kind: str = "fake", address: str = "", **fields: Any) -> ContactMethod:
    """A verified method."""
    address = address or f"{user.name.lower()}@{kind}.example"
    values = {"state": MethodState.OK, "address_key": address_key(kind, address), **fields}
    return ContactMethod.objects.create(user=user, kind=kind, address=address, **values)


def make_rule(user: User, *steps: tuple[ContactMethod, float], importance: str = "high", **fields: Any) -> Any:
    """A rule that uses each method after so many minutes."""
    listed = [{"method": method.pk, "delay_minutes": minutes} for method, minutes in steps]
    return NotificationRule.objects.create(user=user, importance=importance, steps=listed, **fields)


def make_room(name: str = "operations", kind: str = "fake", **fields: Any) -> RoomChannel:
    return RoomChannel.objects.create(name=name, kind=kind, **{"address": f"#{name}", **fields})


def make_delivery(method: ContactMethod, **fields: Any) -> Delivery:
    """A page to the method, waiting to be sent unless told otherwise."""
    target = of_method(method, method.user.name)
    [delivery] = put([new_delivery(f"test:{next(_numbers)}", target, Kind.PAGE, at=now())])
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    delivery.refresh_from_db()
    return delivery


def make_webhook(name: str = "mirror", **fields: Any) -> WebhookEndpoint:
    values = {"url": "https://board.example/hooks", "secret": new_secret(), **fields}
    return WebhookEndpoint.objects.create(name=name, **values)


def make_page(user: User | None = None, incident: Incident | None = None, **fields: Any) -> Page:
    """A page that was handed over for delivery; without a target it is for a new responder."""
    if user is None and "target_kind" not in fields:
        user = make_responder()
    number = next(_numbers)
    values = {
        "target_kind": "user",
        "target_id": user.pk if user else 0,
        "target_name": user.name if user else "room",
        "why": "You are on call: Primary, layer Weekdays",
        "importance": Importance.HIGH,
        "key": f"test:{number}",
        "created_at": now(),
        **fields,
    }
    page = Page.objects.create(incident=incident or make_incident(), user=user, **values)
    hand_over([page])
    return page


def now() -> dt.datetime:
    from core.db.clock import database_now

    return database_now()


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


def deliver(channel: Channel) -> int:
    """Send what is due by a channel, as its job does."""
    return sender_of(channel).run()


def at(moment: dt.datetime) -> Any:
    """Have the engine take this for the database's time."""
    names = (
        "claiming",
        "sending",
        "settling",
        "planning",
        "feeding",
        "notices",
        "receipts",
        "ledger",
        "methods",
        "answers",
        "tokens",
    )
    patches = [mock.patch(f"notifications.services.{name}.database_now", lambda: moment) for name in names]
    return _Together(patches)


class _Together:
    def __init__(self, patches: list[Any]) -> None:
        self._patches = patches

    def __enter__(self) -> None:
        for patch in self._patches:
            patch.start()

    def __exit__(self, *error: object) -> None:
        for patch in self._patches:
            patch.stop()


def delivery_of(page: Page, kind: str = "fake") -> Delivery:
    """The page's delivery by a kind of method."""
    return Delivery.objects.get(page_id=page.pk, channel=kind)
