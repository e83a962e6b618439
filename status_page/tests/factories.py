"""Builders for tests."""

import io
from collections.abc import Collection
from typing import Any

from django.utils import timezone
from PIL import Image

from status_page.models import Component, PublicIncident, StatusPage, Subscriber
from status_page.services import maintenance, page, publishing
from status_page.services.components import add_component
from status_page.services.subscribing import key_of
from status_page.vocabulary import Impact, SubscriberState
from users.models import User
from users.tests.factories import make_admin, make_responder


def make_page(**changes: Any) -> StatusPage:
    """The page, in English and German unless said otherwise."""
    return page.edit_page(by=make_admin(), changes={"languages": ["en", "de"], **changes})


def make_component(name: str = "Website", **values: Any) -> Component:
    return add_component(by=make_admin(), values={"name": name, **values})


def make_public_incident(
    *, by: User | None = None, components: Collection[Component] = (), **values: Any
) -> PublicIncident:
    """A public incident, as the service publishes it."""
    shown = {"title": "Checkout fails", "message": "We are looking into it.", "impact": Impact.MAJOR_OUTAGE, **values}
    return publishing.publish(by=by or make_responder(), components=components, **shown)


def make_maintenance(
    *, by: User | None = None, components: Collection[Component] = (), **values: Any
) -> PublicIncident:
    """Planned maintenance; `values` hold its times."""
    shown = {"title": "New switches", "message": "Short interruptions are possible.", **values}
    return maintenance.plan(by=by or make_responder(), components=components, **shown)


def make_picture(width: int = 960, height: int = 320, *, kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.new("RGBA" if kind == "PNG" else "RGB", (width, height), "teal").save(written, kind)
    return written.getvalue()


def make_subscriber(email: str, *components: Component, **fields: Any) -> Subscriber:
    """A confirmed subscriber of these components, or of all."""
    values = {"state": SubscriberState.ACTIVE, "confirmed_at": timezone.now(), **fields}
    subscriber = Subscriber.objects.create(email=email, email_key=key_of(email), **values)
    subscriber.components.set(components)
    return subscriber
