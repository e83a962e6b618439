"""Signs of life under a name, at whichever door they come in."""

from collections.abc import Sequence

from django.utils import timezone

from alerts.adapters._reading import text
from alerts.incoming import IntakeError, Reply
from alerts.models import Heartbeat, Source
from alerts.services.heartbeats import beat
from alerts.taken import Taken

LONGEST_NAME = 100
MOST_HEARTBEATS = 1_000  # of one source


def named_beat(source: Source, name: str, reply: Reply) -> Taken:
    """A sign of life of the source under this name; the first one makes the heartbeat. Raises IntakeError (422) for a
    name that is too long, and for a new one where there are enough."""
    name = text(name)
    if not 0 < len(name) <= LONGEST_NAME:
        raise IntakeError(f"A heartbeat's name has 1 to {LONGEST_NAME} characters.", status=422, is_kept=False)
    _refuse_too_many(source, name)
    return Taken([name], reply, keep_named_beats, source)


def keep_named_beats(taken: Sequence[Taken]) -> None:
    """The shelf of named signs of life: each Taken's rows are names of its source's heartbeats."""
    now = timezone.now()
    beats = {(one.source, name): None for one in taken if one.source is not None for name in one.rows}
    for source, name in beats:
        beat(source, now, name)


def _refuse_too_many(source: Source, name: str) -> None:
    """Those that come at one moment may exceed the number by theirs."""
    ours = Heartbeat.objects.filter(source=source)
    if not ours.filter(name=name).exists() and ours.count() >= MOST_HEARTBEATS:
        raise IntakeError(
            f"A source has at most {MOST_HEARTBEATS:,} heartbeats; delete one before you name another.",
            status=422,
            is_kept=False,
        )
