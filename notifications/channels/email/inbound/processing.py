"""From kept mails to incidents, in one transaction each."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import structlog
from django.conf import settings
from django.core.files.base import File as DjangoFile
from django.utils.translation import gettext as _

from core.db.leases import Lease
from core.db.transactions import is_database_unavailable, unit_of_work
from core.errors import DomainError, NotFound, PermissionRefused
from core.text.names import one_line
from incidents.actors import Actor
from incidents.attachments import Checked
from incidents.models import Incident, Origin
from incidents.permissions import require_visible
from incidents.services import NewIncident, comment, open_incident
from incidents.services.attaching import StoredFiles, attach, inspect, kept
from incidents.vocabulary import MachineKind
from notifications.channels.email.addresses import bare
from notifications.channels.email.inbound.authenticity import judge
from notifications.channels.email.inbound.automatic import why_automatic
from notifications.channels.email.inbound.bounces import read_bounce
from notifications.channels.email.inbound.deciding import Action, Decision, Facts, Target, decide
from notifications.channels.email.inbound.outcomes import Outcome
from notifications.channels.email.inbound.people import person_with
from notifications.channels.email.inbound.reading import File, ReceivedMail, read_mail
from notifications.channels.email.inbound.replies import reply_of
from notifications.channels.email.inbound.returned import record_bounce
from notifications.channels.email.tokens import incidents_in_references, token_in_address, tokens_in_references
from notifications.models import InboundMail
from notifications.vocabulary import InboundState
from users.models import User

log = structlog.get_logger(__name__)

BATCH = 50
TRIES = 5
LEASE = Lease("due_at", dt.timedelta(minutes=5))
RETRY = dt.timedelta(minutes=1)
EFFECTIVE = (InboundState.OPENED, InboundState.COMMENTED)
MAX_TITLE = 200
CHANNEL_NAME = "Email"


def process_waiting(now: dt.datetime) -> int:
    """Process due mails."""
    due = list(InboundMail.objects.due(now).defer("raw")[:BATCH])
    return sum(process(row.pk, now) for row in due if LEASE.claim(row, now))


def process(pk: int, now: dt.datetime) -> bool:
    """Process a claimed mail; return whether it is done."""
    row = InboundMail.objects.get(pk=pk)
    try:
        _process(row, now)
    except DomainError as error:
        if error.status == 503:
            _postpone(row, now, error.message)
            return False
        _in_one_unit(row, now, partial(Outcome, InboundState.HELD, error.message))
    except Exception as error:
        if is_database_unavailable(error):
            raise
        log.exception("inbound_mail_failed", mail=row.pk, tries=row.tries + 1)
        _postpone(row, now, f"{type(error).__name__}: {error}")
        return False
    return True


def _process(row: InboundMail, now: dt.datetime) -> None:
    raw = bytes(row.raw)
    mail = read_mail(raw)
    bounce = read_bounce(mail.message, [*mail.recipients, row.recipient], raw.decode("latin-1"))
    if bounce is not None:
        _in_one_unit(row, now, partial(record_bounce, bounce))
        return
    if why := why_automatic(mail.message, _own_addresses(), row.envelope_sender):
        _in_one_unit(row, now, partial(Outcome, InboundState.IGNORED, why))
        return
    person = person_with(mail.sender)
    target = _target_of(mail, row.recipient)
    decision = decide(_facts_of(row, mail, person, target, now))
    if decision.action == Action.HOLD:
        _in_one_unit(row, now, partial(Outcome, InboundState.HELD, decision.reason, user=person))
        return
    checked, refused = _check(mail.files)
    if row.is_cut:
        refused.append("The mail was too large; its end is missing.")
    with kept(checked) as stored:
        entry = Entry(mail, person if decision.as_person else None, target, stored, tuple(refused))
        _in_one_unit(row, now, partial(entry.write, decision))


@dataclass(frozen=True)
class Entry:
    mail: ReceivedMail
    person: User | None
    target: Target | None
    files: StoredFiles | None
    refused: tuple[str, ...]

    @property
    def by(self) -> Actor:
        name = self.person.name if self.person else one_line(f"{self.mail.name} <{self.mail.sender}>").strip()
        return Actor(self.person, name[:150], MachineKind.CHANNEL, CHANNEL_NAME)

    def write(self, decision: Decision) -> Outcome:
        """Comment or open; a subject may mention an incident that is none of theirs."""
        if decision.action == Action.COMMENT and self.target is not None:
            try:
                return self._comment(self.target.incident)
            except (NotFound, PermissionRefused) as error:
                if self.target.is_reply or settings.INBOUND_FROM == "nobody":
                    return Outcome(InboundState.HELD, error.message, user=self.person)
        return self._open()

    @unit_of_work
    def _comment(self, number: int) -> Outcome:
        incident = Incident.objects.filter(pk=number, deleted_at__isnull=True).first()
        if incident is None:
            raise NotFound(_("INC-%(number)s does not exist.") % {"number": number})
        require_visible(self.by, incident)
        text = self._with_refused(reply_of(self.mail.text))
        if not text and self.files is None:
            return Outcome(InboundState.IGNORED, "The mail is empty.", incident, self.person)
        if text:
            comment(incident, text, by=self.by, origin=Origin.EMAIL)
        if self.files is not None:
            attach(incident, self.files, by=self.by, origin=Origin.EMAIL)
        return Outcome(InboundState.COMMENTED, "", incident, self.person)

    @unit_of_work
    def _open(self) -> Outcome:
        text = self._with_refused(self.mail.text)
        if self.person is None:
            text = f"From: {self.mail.name} <{self.mail.sender}> (not verified)\n\n{text}"
        title = one_line(self.mail.title) or next(filter(None, map(str.strip, self.mail.text.split("\n"))), "")
        new = NewIncident(title=title[:MAX_TITLE], description=text, files=self.files or ())
        incident = open_incident(new, by=self.by, origin=Origin.EMAIL)
        return Outcome(InboundState.OPENED, "", incident, self.person)

    def _with_refused(self, text: str) -> str:
        if not self.refused:
            return text
        lines = "\n".join(f"- {reason}" for reason in self.refused)[:5_000]
        return f"{text}\n\nNot attached (the mail is kept):\n{lines}".strip()


@unit_of_work
def _in_one_unit(row: InboundMail, now: dt.datetime, act: Callable[[], Outcome]) -> None:
    """Act unless somebody has meanwhile."""
    locked = InboundMail.objects.select_for_update().defer("raw").get(pk=row.pk)
    if locked.state == InboundState.WAITING:
        _finish(locked, act(), now)
    else:
        locked.due_at = None
        locked.save(update_fields=["due_at"])


def _finish(row: InboundMail, outcome: Outcome, now: dt.datetime) -> None:
    row.state, row.reason = outcome.state, outcome.reason[:500]
    row.incident, row.user = outcome.incident, outcome.user
    row.processed_at, row.due_at = now, None
    row.save(update_fields=["state", "reason", "incident", "user", "processed_at", "due_at"])


def _postpone(row: InboundMail, now: dt.datetime, reason: str) -> None:
    row.tries += 1
    row.reason = one_line(reason)[:500]
    row.due_at = now + RETRY * row.tries
    if row.tries >= TRIES:
        row.state, row.due_at, row.processed_at = InboundState.FAILED, None, now
    row.save(update_fields=["tries", "reason", "due_at", "state", "processed_at"])


def _facts_of(
    row: InboundMail, mail: ReceivedMail, person: User | None, target: Target | None, now: dt.datetime
) -> Facts:
    lately = InboundMail.objects.filter(
        sender=row.sender, processed_at__gt=now - dt.timedelta(hours=1), state__in=EFFECTIVE
    )
    return Facts(
        policy=settings.INBOUND_FROM,
        has_sender=bool(mail.sender),
        is_person=person is not None,
        verdict=judge(mail.results, settings.INBOUND_AUTHSERV_ID, mail.sender),
        target=target,
        is_over_cap=lately.count() >= settings.INBOUND_PER_HOUR,
        is_accepted=row.accepted_by_id is not None,
    )


def _target_of(mail: ReceivedMail, recipient: str) -> Target | None:
    """Return the incident by address, then references, then subject."""
    tokens = [
        *filter(None, map(token_in_address, [recipient, *mail.recipients])),
        *tokens_in_references(mail.references),
    ]
    of_incidents = [token for token in tokens if token.incident is not None]
    for token in of_incidents:
        if token.incident is not None and token.is_for(mail.sender):
            return Target(token.incident, is_reply=True, is_proven=True)
    replied = [token.incident for token in of_incidents] + incidents_in_references(mail.references)
    if number := next(filter(None, replied), None):
        return Target(number, is_reply=True)
    return Target(mail.named_incident, is_reply=False) if mail.named_incident else None


def _own_addresses() -> frozenset[str]:
    return frozenset(
        bare(mailbox).lower() for mailbox in (settings.DEFAULT_FROM_EMAIL, settings.INBOUND_ADDRESS) if mailbox
    )


def _check(files: Sequence[File]) -> tuple[list[Checked], list[str]]:
    """Return acceptable files, and why not the others. Raises Busy, StorageUnavailable."""
    checked: list[Checked] = []
    refused: list[str] = []
    for file in files:
        if len(checked) >= settings.MAX_ATTACHMENTS:
            refused.append(f"{file.name}: more than {settings.MAX_ATTACHMENTS} files.")
            continue
        try:
            checked += inspect([DjangoFile(BytesIO(file.content), name=file.name)])
        except DomainError as error:
            if error.status == 503:
                raise
            refused.append(error.message)
    return checked, refused
