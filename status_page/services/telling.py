"""Tell subscribers of updates: rows of the outbox, and what each letter says."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Q, QuerySet

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from notifications.audiences import Letter
from notifications.models import Delivery
from notifications.services.outbox import new_delivery, of_audience, put
from notifications.vocabulary import Kind
from status_page.letters import Writing, confirmation, news
from status_page.models import Component, PublicUpdate, Subscriber
from status_page.services.page import the_page
from status_page.services.subscribing import AUDIENCE
from status_page.vocabulary import SubscriberState

CHUNK = 500


def plan_telling(now: dt.datetime) -> int:
    """Write deliveries to the subscribers of updates that are due; return how many."""
    total = 0
    for number in list(PublicUpdate.objects.filter(tell_at__lte=now).order_by("tell_at").values_list("pk", flat=True)):
        is_done = False
        while not is_done:
            written, is_done = _plan_chunk(number)
            total += written
    return total


@unit_of_work
def _plan_chunk(number: int) -> tuple[int, bool]:
    """Tell the next subscribers of an update; return how many, and whether that is all or another worker's work."""
    waiting = PublicUpdate.objects.filter(pk=number, tell_at__isnull=False)
    update = rows.lock_available(waiting).select_related("public_incident").first()
    if update is None:
        return 0, True
    readers = list(readers_of(update).filter(pk__gt=update.told_to).order_by("pk")[:CHUNK])
    at = database_now()
    content = {"audience": AUDIENCE, "update": update.pk}
    planned = [
        new_delivery(
            f"status:{update.pk}",
            of_audience(AUDIENCE, reader.pk, reader.email),
            Kind.STATUS,
            at=at,
            content={**content, "subscriber": reader.pk},
        )
        for reader in readers
    ]
    put(planned)
    if readers:
        update.told_to = readers[-1].pk
        update.told_count += len(readers)
    if len(readers) < CHUNK:
        update.tell_at = None
    update.save(update_fields=["told_to", "told_count", "tell_at"])
    return len(planned), update.tell_at is None


def readers_of(update: PublicUpdate) -> QuerySet[Subscriber]:
    """Select confirmed subscribers of all components, or of one that is concerned."""
    announced = update.public_incident
    concerned = Component.objects.filter(
        Q(spans__public_incident=announced) | Q(pk__in=announced.components.values("pk"))
    )
    return interested_in(list(concerned.order_by().values_list("pk", flat=True)))


def interested_in(components: Collection[int]) -> QuerySet[Subscriber]:
    """Select confirmed subscribers of all components, or of one of these; without any, of all that are confirmed."""
    active = Subscriber.objects.active()
    if not components:
        return active
    through = Subscriber.components.through.objects
    chosen = through.filter(component__in=components).values("subscriber")
    return active.filter(Q(pk__in=chosen) | ~Q(pk__in=through.values("subscriber")))


def write_letters(deliveries: Sequence[Delivery]) -> Mapping[int, Letter | str]:
    """Write what each is told; who has unsubscribed is told nothing, nor is anybody of what was withdrawn."""
    readers = rows.by_id(Subscriber, {row.content["subscriber"] for row in deliveries})
    found = PublicUpdate.objects.filter(pk__in={row.content.get("update") for row in deliveries} - {None})
    found = found.select_related("public_incident").prefetch_related("public_incident__components")
    updates = {update.pk: update for update in found}
    writing = Writing(the_page())
    return {row.pk: _letter(row, readers, updates, writing) for row in deliveries}


def _letter(
    row: Delivery, readers: Mapping[int, Subscriber], updates: Mapping[int, PublicUpdate], writing: Writing
) -> Letter | str:
    reader = readers.get(row.content["subscriber"])
    if reader is None or reader.state == SubscriberState.UNSUBSCRIBED:
        return "Unsubscribed."
    if "update" not in row.content:
        return confirmation(reader, writing)
    update = updates.get(row.content["update"])
    if update is None:
        return "The announcement was withdrawn."
    return news(reader, update, writing) if reader.state == SubscriberState.ACTIVE else "Not confirmed."
