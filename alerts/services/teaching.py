"""Map unknown words, for past alerts too."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from alerts import validation
from alerts.models import Alert
from alerts.reading.words import mapped, normal
from alerts.routing import alert_key
from alerts.services.enqueueing import enqueue
from alerts.services.processing import read
from alerts.services.words import LONGEST_WORD, as_taught, key_of, severity_words
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus
from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import DomainError
from intake.models import IntakeEvent, Source, UnknownWord
from intake.services.sources import clear_cache
from intake.vocabulary import MappedField
from users.models import User


@unit_of_work
def teach(source: Source, *, about: str, word: str, means: str, is_applied: bool, by: User) -> int:
    locked = Source.objects.select_for_update().get(pk=source.pk)
    name = f"{MappedField(about).value}_map"
    check = validation.status_map if about == MappedField.STATUS else validation.severity_map
    others = {theirs: ours for theirs, ours in getattr(locked, name).items() if normal(theirs) != normal(word)}
    try:
        setattr(locked, name, check({**others, word: means}))
    except ValueError as error:
        raise DomainError(str(error), field="means") from error
    with acting(by):
        locked.save(update_fields=[name])
    clear_cache()
    row = UnknownWord.objects.filter(key=key_of(locked, about, word)).first()
    corrected = _apply(locked, about, word, row.events) if row is not None and is_applied else 0
    UnknownWord.objects.filter(key=key_of(locked, about, word)).delete()
    return corrected


def _apply(source: Source, about: str, word: str, event_ids: Sequence[int]) -> int:
    corrections: dict[str, AlertUpdate] = {}
    events = IntakeEvent.objects.filter(pk__in=list(event_ids), source=source).order_by("pk")
    for event in events:
        for update in (as_taught(source, one) for one in read(event).updates):
            correction = _correction(source, update, about, word, event.received_at)
            if correction is not None and _is_as_left(source, update, event.received_at):
                corrections[update.identity] = correction
    if corrections:
        enqueue(source, list(corrections.values()))
    return len(corrections)


def _correction(source: Source, update: AlertUpdate, about: str, word: str, at: dt.datetime) -> AlertUpdate | None:
    if about == MappedField.SEVERITY:
        if normal(word) not in [normal(one) for one in severity_words(update)] or update.action != Action.FIRE:
            return None
        meaning = mapped(source.severity_map, word)
        return replace(update, action=Action.NOTE, note="", severity=meaning, status_word="", is_guess=False)
    if normal(update.status_word[:LONGEST_WORD]) != normal(word) or update.action == Action.FIRE:
        return None
    return replace(update, ends_at=update.ends_at or at) if update.action == Action.RESOLVE else update


def _is_as_left(source: Source, update: AlertUpdate, at: dt.datetime) -> bool:
    alerts = Alert.objects.filter(key=alert_key(source.pk, update.identity), status=AlertStatus.FIRING)
    return alerts.filter(last_seen_at__lte=at).exists()
