"""What a batch of messages does to the alerts they tell of; their incidents are `opening`'s part."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F, Q

from alerts.matching import facts_of
from alerts.models import Alert, AlertLabel, Route, pairs_of
from alerts.reading.words import mapped
from alerts.routing import Decision, alert_key, decide, silence_for
from alerts.services.enqueueing import DRAFT_FORMAT, event_of_leftover
from alerts.services.opening import FiringAlert, IncidentAssigner
from alerts.services.out_of_order import EarlyResolves
from alerts.services.rules import rules, silences
from alerts.services.words import UnknownWords, as_taught, doubts, not_understood, sentence_of, severity_words
from alerts.transitions import AlertSnapshot, Transition, is_flapping, next_state, with_change
from alerts.updates import FINGERPRINT_LENGTH, TITLE_LENGTH, Action, AlertUpdate
from alerts.vocabulary import AlertStatus, Ending
from core.db import rows
from core.severity import SEVERITY_OF_WORD, Severity
from intake.models import IntakeEvent, Source
from intake.services.queue import NO_ALERT
from intake.vocabulary import IntakeState

if TYPE_CHECKING:
    from alerts.services.processing import Reading

MAX_LABELS = 100
LABEL_LENGTH = 2000
TEXT_LENGTH = 20_000
# What a sender that gives no times, or may never say that it is over, is believed without being heard of again.
NOT_UNDERSTOOD = "not understood"  # the annotation that tells of words
UNTIMED_EXPIRY = dt.timedelta(days=1)
AHEAD = dt.timedelta(days=1)  # a clock that is wrong by its time zone is believed

COUNTED = ("occurrences", "last_seen_at", "expires_at")
TOLD = ("severity", "title", "description", "annotations", "links")
STATE = ("status", "starts_at", "ends_at", "ended_by", "incident", "silenced_by", "is_flapping", "changes")


@dataclass(frozen=True)
class Message:
    """A draft with where it came from and when we heard of it."""

    draft: AlertUpdate
    source: Source
    received_at: dt.datetime
    key: str


class BatchProcessor:
    """Messages worked off together, inside one transaction."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.rules = rules()
        self.silences = silences(now)
        self.alerts: dict[str, Alert] = {}
        self.early_ends = EarlyResolves()
        self.touched: dict[str, set[str]] = {}
        self.started: dict[str, FiringAlert] = {}
        self.ended: dict[str, Alert] = {}
        self.voices: list[tuple[Alert, AlertUpdate]] = []
        self.last_words: list[tuple[Alert, AlertUpdate]] = []  # said with the end of an alert, or after it
        self.matched: Counter[int] = Counter()
        self.dropped: Counter[int] = Counter()
        self.words = UnknownWords()

    def apply(self, readings: Sequence["Reading"]) -> None:
        """Fold every message into its alert, open, join and resolve incidents, and mark the events done."""
        messages = [list(self._messages(reading)) for reading in readings]
        self._load({message.key: message.source for of_one in messages for message in of_one})
        self.early_ends.load((message for of_one in messages for message in of_one), self.alerts)
        states = []
        for reading, of_one in zip(readings, messages, strict=True):
            outcomes = [self._take(message) for message in of_one]
            states.append((reading, _state_of(reading, outcomes), len(of_one)))
        incidents = IncidentAssigner(self.now, self.rules)
        spoken_of = [alert for alert, _ in (*self.voices, *self.last_words)]
        incidents.place(list(self.started.values()), self.ended.values(), spoken_of, self.alerts)
        self._write()
        self.early_ends.save()
        incidents.speak(self.voices)
        incidents.end(self.ended.values())
        incidents.speak(self.last_words)
        incidents.save()
        self._count_routes()
        self._close(states)
        self.words.save()

    def _messages(self, reading: "Reading") -> Iterable[Message]:
        """What a reading says, as its source was taught; what is not understood is noted, and told with the alert."""
        source, at = reading.source, reading.event.received_at
        if source is None:
            return
        for draft in (as_taught(source, one) for one in reading.drafts):
            if words := not_understood(source, draft):
                self.words.hear(source, reading.event, words)
                draft = replace(draft, annotations={**draft.annotations, NOT_UNDERSTOOD: sentence_of(words.items())})
            yield Message(_timed(draft, at), source, at, alert_key(source.pk, draft.identity))

    # --- Alerts -------------------------------------------------------------------------------------------------------

    def _load(self, sources: Mapping[str, Source]) -> None:
        """Lock the alerts, in the order that `rows.select_in` keeps, so that nobody waits for another crosswise."""
        for alert in rows.select_in(Alert, "key", sources, lock=True):
            alert.source = sources[alert.key]
            self.alerts[alert.key] = alert

    def _take(self, message: Message) -> Transition | None:
        """Fold one message; None when a route drops it."""
        draft, alert = message.draft, self.alerts.get(message.key)
        severity = severity_of(message.source, draft)
        if draft.action in (Action.ACKNOWLEDGE, Action.NOTE):
            return self._voice(alert, message, severity)
        facts = facts_of(draft.labels, severity=severity.word, source=message.source.name)
        decision = decide(self.rules, facts)
        if decision.rule is not None:
            self.matched[decision.rule.id] += 1
        if decision.is_drop and decision.rule is not None and not _ends_what_fires(alert, draft):
            self.dropped[decision.rule.id] += 1
            return None
        if (end := self.early_ends.end_of(message, alert)) is not None:
            self._fold(next_state(_known(alert), end.draft), alert, end, severity, decision, facts)
            alert = self.alerts.get(message.key)
        outcome = next_state(_known(alert), draft)
        if outcome == Transition.NOTHING:
            self.early_ends.remember(message)
        if draft.is_expiry and (alert is None or alert.expires_at is None or alert.expires_at > self.now):
            return Transition.STALE  # heard of again since it was found to have expired
        self._fold(outcome, alert, message, severity, decision, facts)
        if alert is not None and outcome == Transition.RESOLVED and draft.note:
            self.last_words.append((alert, draft))
        return outcome

    def _voice(self, alert: Alert | None, message: Message, severity: Severity) -> Transition:
        draft = message.draft
        if alert is None:
            return Transition.NOTHING
        if draft.severity and alert.status == AlertStatus.FIRING:
            self._tell_severity(alert, message, severity)
        said = self.last_words if alert.key in self.ended else self.voices
        said.append((alert, draft))
        return Transition.REPEATED

    def _tell_severity(self, alert: Alert, message: Message, severity: Severity) -> None:
        """What is said of an alert that fires may also say how bad it is by now."""
        if NOT_UNDERSTOOD in alert.annotations:
            alert.annotations = {name: said for name, said in alert.annotations.items() if name != NOT_UNDERSTOOD}
            self.touched.setdefault(alert.key, set()).add("annotations")
        if alert.severity == severity:
            return
        alert.severity = severity
        self.touched.setdefault(alert.key, set()).add("severity")
        facts = facts_of(alert.labels, severity=severity.word, source=message.source.name)
        self._start(alert, decide(self.rules, facts), facts, Transition.REPEATED)

    def _fold(
        self,
        outcome: Transition,
        alert: Alert | None,
        message: Message,
        severity: Severity,
        decision: Decision,
        facts: Mapping[str, str],
    ) -> None:
        if alert is None and outcome in (Transition.NEW, Transition.ENDED_UNSEEN):
            alert = self.alerts[message.key] = new_alert(message, severity)
            self.touched[message.key] = set()
        if alert is None or outcome == Transition.NOTHING:
            return
        changed = self.touched.setdefault(message.key, set())
        if message.draft.action == Action.FIRE and outcome != Transition.NEW:
            count(alert, message, changed, severity, is_stale=outcome == Transition.STALE)
        if outcome == Transition.RESOLVED:
            self._end(alert, message, changed)
        elif outcome == Transition.ENDED_UNSEEN:
            self._note_end(alert, message, changed)
        elif outcome in (Transition.NEW, Transition.REFIRED):
            self._begin(alert, message, changed, outcome)
        if outcome in (Transition.NEW, Transition.REFIRED, Transition.REPEATED):
            self._start(alert, decision, facts, outcome)

    def _begin(self, alert: Alert, message: Message, changed: set[str], outcome: Transition) -> None:
        changed.update(STATE)
        if outcome == Transition.REFIRED:
            # Our own clock may have been set back since the end.
            since = max(message.received_at, alert.ends_at or alert.starts_at)
            alert.status, alert.ends_at, alert.ended_by = AlertStatus.FIRING, None, ""
            alert.starts_at = message.draft.starts_at or since
        self._note_change(alert, message.received_at)
        self.ended.pop(alert.key, None)

    def _end(self, alert: Alert, message: Message, changed: set[str]) -> None:
        self._note_end(alert, message, changed)
        self._note_change(alert, message.received_at)
        self.ended[alert.key] = alert

    def _note_end(self, alert: Alert, message: Message, changed: set[str]) -> None:
        draft = message.draft
        changed.update(STATE)
        alert.status = AlertStatus.RESOLVED
        # The end may overtake the beginning: what then says that it began is late.
        alert.starts_at = max(alert.starts_at, draft.starts_at or alert.starts_at)
        alert.ends_at = max(draft.ends_at or message.received_at, alert.starts_at)
        alert.ended_by = Ending.EXPIRY if draft.is_expiry else Ending.SENDER
        alert.expires_at = None

    def _note_change(self, alert: Alert, at: dt.datetime) -> None:
        alert.changes = with_change(alert.changes, at)
        alert.is_flapping = is_flapping(alert.changes, at)

    def _start(self, alert: Alert, decision: Decision, facts: Mapping[str, str], outcome: Transition) -> None:
        """Have its incident seen to, unless a silence keeps it quiet or it is where it belongs."""
        is_settled = alert.incident_id is not None and "severity" not in self.touched[alert.key]
        if outcome == Transition.REPEATED and (is_settled or alert.key in self.started):
            return
        is_quiet = alert.incident_id is None or outcome != Transition.REPEATED
        silence = silence_for(self.silences, facts, self.now) if is_quiet else None
        alert.silenced_by_id = silence.id if silence else None
        self.touched[alert.key].add("silenced_by")
        if silence is None:
            self.started[alert.key] = FiringAlert(alert, decision.rule, outcome)

    # --- Writing ------------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        fresh = [alert for alert in self.alerts.values() if alert._state.adding]
        rows.insert(*fresh)
        learn_ids(fresh)
        insert_labels(fresh)
        new = {alert.key for alert in fresh}
        counted = [self.alerts[key] for key, names in self.touched.items() if key not in new and names <= set(COUNTED)]
        told = [self.alerts[key] for key, names in self.touched.items() if key not in new and names - set(COUNTED)]
        rows.update_many(counted, COUNTED)
        rows.update_many(told, (*COUNTED, *TOLD, *STATE))

    def _count_routes(self) -> None:
        for pk in sorted(self.matched):
            dropped = F("dropped_count") + self.dropped[pk]
            Route.objects.filter(pk=pk).update(
                matched_count=F("matched_count") + self.matched[pk], dropped_count=dropped
            )

    def _close(self, states: Sequence[tuple["Reading", tuple[IntakeState, str], int]]) -> None:
        rows.insert(
            *(
                event_of_leftover(reading.event, reading.leftover, self.now)
                for reading, _state, _number in states
                if reading.leftover is not None
            )
        )
        alike: defaultdict[tuple[IntakeState, str, int], list[int]] = defaultdict(list)
        heard: dict[int, dt.datetime] = {}
        for reading, (state, reason), number in states:
            alike[state, reason, number].append(reading.event.pk)
            if reading.source is not None and reading.event.format != DRAFT_FORMAT:
                at = reading.event.received_at
                heard[reading.source.pk] = max(at, heard.get(reading.source.pk, at))
        for (state, reason, number), ids in alike.items():
            IntakeEvent.objects.filter(pk__in=ids).update(
                state=state, reason=reason[:500], alert_count=number, processed_at=self.now
            )
        for pk, at in sorted(heard.items()):
            unheard = Q(last_received_at__isnull=True) | Q(last_received_at__lt=at)
            Source.objects.filter(unheard, pk=pk).update(last_received_at=at)


def _timed(draft: AlertUpdate, at: dt.datetime) -> AlertUpdate:
    """The draft, without a beginning that is none: one that lies ahead, for every true one would be taken for older
    news until then; and that of an end which began when it ended, as Grafana 12 tells it."""
    began, ended = draft.starts_at, draft.ends_at
    if began is None:
        return draft
    is_end_twice = draft.action == Action.RESOLVE and ended is not None and began >= ended
    return replace(draft, starts_at=None) if is_end_twice or began > at + AHEAD else draft


def _state_of(reading: "Reading", outcomes: Sequence[Transition | None]) -> tuple[IntakeState, str]:
    if reading.state != IntakeState.DONE:
        return reading.state, reading.reason
    if outcomes and all(outcome is None for outcome in outcomes):
        return IntakeState.DROPPED, "A route drops it."
    if not outcomes:
        return IntakeState.IGNORED, NO_ALERT
    if all(outcome == Transition.NOTHING for outcome in outcomes):
        return IntakeState.IGNORED, "It ends what was not firing, or speaks of an alert we never heard of."
    return IntakeState.DONE, doubts(reading.source, reading.drafts, reading.leftover)


def _ends_what_fires(alert: Alert | None, draft: AlertUpdate) -> bool:
    """Whether an alert that fires would do so for ever, should a route drop its end."""
    return alert is not None and alert.status == AlertStatus.FIRING and draft.action == Action.RESOLVE


def _known(alert: Alert | None) -> AlertSnapshot | None:
    if alert is None:
        return None
    return AlertSnapshot(AlertStatus(alert.status), alert.starts_at, alert.ends_at, alert.ended_by)


def severity_of(source: Source, draft: AlertUpdate) -> Severity:
    """How bad it is: by the source's own words, else as the adapter understood it, else the source's default."""
    word = mapped(source.severity_map, *severity_words(draft), draft.severity) or draft.severity
    return SEVERITY_OF_WORD.get(word, Severity(source.default_severity))


def new_alert(message: Message, severity: Severity) -> Alert:
    """An alert of which this message is the first; not stored yet."""
    draft, at = message.draft, message.received_at
    is_over = draft.action == Action.RESOLVE
    alert = Alert(
        source=message.source,
        key=message.key,
        fingerprint=draft.identity[:FINGERPRINT_LENGTH],
        status=AlertStatus.RESOLVED if is_over else AlertStatus.FIRING,
        severity=severity,
        title=draft.title[:TITLE_LENGTH] or "Alert",
        description=draft.description[:TEXT_LENGTH],
        labels=_cut(draft.labels),
        annotations=_cut(draft.annotations),
        links=list(draft.links)[:MAX_LABELS],
        starts_at=draft.starts_at or at,
        ends_at=max(draft.ends_at or at, draft.starts_at or at) if is_over else None,
        ended_by=Ending.SENDER if is_over else "",
        first_seen_at=at,
        last_seen_at=at,
        occurrences=0 if is_over else 1,
    )
    alert.expires_at = None if is_over else expiry_of(message)
    return alert


def count(alert: Alert, message: Message, changed: set[str], severity: Severity, *, is_stale: bool) -> None:
    """One more message says that it fires; what it tells anew is taken over, unless it is of an earlier time."""
    alert.occurrences += 1
    alert.last_seen_at = max(alert.last_seen_at, message.received_at)
    changed.update(COUNTED)
    if is_stale:
        return
    draft = message.draft
    alert.expires_at = expiry_of(message)
    told = (
        severity,
        draft.title[:TITLE_LENGTH] or "Alert",
        draft.description[:TEXT_LENGTH],
        _cut(draft.annotations),
        list(draft.links)[:MAX_LABELS],
    )
    for name, value in zip(TOLD, told, strict=True):
        if getattr(alert, name) != value:
            setattr(alert, name, value)
            changed.add(name)


def expiry_of(message: Message) -> dt.datetime | None:
    """When the alert counts as over unless it is heard of again."""
    draft, at = message.draft, message.received_at
    if draft.ends_at is not None:
        return draft.ends_at
    if message.source.expire_minutes:
        return at + dt.timedelta(minutes=message.source.expire_minutes)
    return None if draft.starts_at and not draft.may_never_end else at + UNTIMED_EXPIRY


def learn_ids(alerts: Sequence[Alert]) -> None:
    """Several rows inserted at once do not learn their ids; their keys tell them."""
    if alerts:
        ids = dict(Alert.objects.filter(key__in=[alert.key for alert in alerts]).values_list("key", "pk"))
        for alert in alerts:
            alert.pk = ids[alert.key]


def insert_labels(alerts: Sequence[Alert]) -> None:
    """Index the labels of new alerts."""
    pairs = {(pair, alert.pk) for alert in alerts for pair in pairs_of(alert.labels)}
    table = connection.ops.quote_name(AlertLabel._meta.db_table)
    unique = sorted(pairs)  # as the table is: neighbours share a page, and nobody waits crosswise
    with connection.cursor() as cursor:
        for start in range(0, len(unique), rows.CHUNK * 4):
            some = unique[start : start + rows.CHUNK * 4]
            marks = ", ".join(["(%s, %s)"] * len(some))
            cursor.execute(
                f"INSERT INTO {table} (pair, alert_id) VALUES {marks}",  # noqa: S608
                [value for pair in some for value in pair],
            )


def _cut(values: Mapping[str, str]) -> dict[str, str]:
    return {name[:200]: value[:LABEL_LENGTH] for name, value in list(values.items())[:MAX_LABELS]}
