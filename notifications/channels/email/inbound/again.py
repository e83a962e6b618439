"""What administrators do with mails."""

from collections.abc import Iterable

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.server.jobs import wake
from incidents.permissions import require_admin
from notifications.channels.email.inbound.receiving import JOB
from notifications.models import InboundMail
from notifications.vocabulary import InboundState
from users.models import User

REPLAYABLE = (InboundState.HELD, InboundState.FAILED, InboundState.IGNORED)


@unit_of_work
def process_again(ids: Iterable[int], *, by: User) -> int:
    """Queue mails without effect again. Raises PermissionRefused."""
    return _queue(ids, by, REPLAYABLE)


@unit_of_work
def accept(ids: Iterable[int], *, by: User) -> int:
    """Process held mails that an administrator vouches for. Raises PermissionRefused."""
    return _queue(ids, by, (InboundState.HELD,), accepted_by=by)


def _queue(ids: Iterable[int], by: User, states: tuple[InboundState, ...], **also: User) -> int:
    require_admin(by)
    number = InboundMail.objects.filter(pk__in=list(ids), state__in=states).update(
        state=InboundState.WAITING, reason="", tries=0, due_at=database_now(), processed_at=None, **also
    )
    if number:
        wake(JOB)
    return number
