"""Turn verdicts of rules into alert updates."""

import datetime as dt
from collections.abc import Sequence

from alerts.updates import Action, AlertUpdate
from logs.detection import Group, Spec, Verdict
from logs.models import DetectionRule, RuleSeverity

LONGEST_TITLE = 200
# When a rule falls silent, its alert is over after so many intervals,
# but at least so many seconds.
EXPIRY_INTERVALS = 5
EXPIRY_SECONDS = 900
OUTSIDE_EXPIRY_SECONDS = 24 * 3600  # a store that is away resolves nothing; its windows are searched later


def update_of(
    rule: DetectionRule,
    spec: Spec,
    verdict: Verdict,
    samples: Sequence[str] = (),
    *,
    now: dt.datetime | None = None,
    notes: Sequence[str] = (),
) -> AlertUpdate:
    """Return a verdict's update, starting with the first window: order and repeats change nothing."""
    if not verdict.is_firing:
        return AlertUpdate(
            title=title_of(rule, verdict.group),
            action=Action.RESOLVE,
            fingerprint=spec.fingerprint(verdict.group),
            starts_at=_moment(verdict.since),
            ends_at=_moment(max(verdict.end, verdict.since)),
        )
    seconds = max(EXPIRY_INTERVALS * spec.interval, EXPIRY_SECONDS)
    expiry = dt.timedelta(seconds=max(seconds, OUTSIDE_EXPIRY_SECONDS) if rule.is_outside else seconds)
    return AlertUpdate(
        title=title_of(rule, verdict.group),
        fingerprint=spec.fingerprint(verdict.group),
        severity=rule.severity,
        description=_described(spec, verdict, [*notes, *samples]),
        labels=labels_of(rule, spec, verdict.group),
        starts_at=_moment(verdict.since),
        ends_at=(now or _moment(verdict.end)) + expiry,
    )


def immediate_update(
    rule: DetectionRule, spec: Spec, group: Group, count: int, samples: Sequence[str], now: dt.datetime
) -> AlertUpdate:
    """Return the alert of single lines."""
    lines = "1 line" if count == 1 else f"{count:,} lines"
    return AlertUpdate(
        title=title_of(rule, group),
        fingerprint=spec.fingerprint(group),
        severity=rule.severity,
        description="\n".join([f"{lines} at {now:%Y-%m-%d %H:%M:%S} UTC:", *samples]),
        labels=labels_of(rule, spec, group),
        ends_at=now + dt.timedelta(seconds=spec.window),
    )


def failure_update(rule: DetectionRule, now: dt.datetime) -> AlertUpdate:
    """Return the alert of a rule that cannot look: nobody would see what it is for."""
    since = rule.failing_since or now
    until = f"{rule.evaluated_until:%Y-%m-%d %H:%M:%S} UTC" if rule.evaluated_until else "no time"
    return AlertUpdate(
        title=f"Detection rule fails: {rule.name}"[:LONGEST_TITLE],
        fingerprint=_failure_fingerprint(rule),
        severity=RuleSeverity.HIGH,
        description="\n".join(
            [
                f"The rule “{rule.name}” cannot search {rule.get_store_display()} since {since:%Y-%m-%d %H:%M:%S} UTC; "
                f"it has looked at everything until {until}.",
                rule.last_error,
                f"Its query: {rule.query}",
            ]
        ),
        labels={"alertname": "DetectionRuleFails", "rule": rule.name, "store": rule.store},
        starts_at=since,
    )


def recovery_update(rule: DetectionRule, now: dt.datetime) -> AlertUpdate:
    """Return the end of a failing rule's alert."""
    return AlertUpdate(
        title=f"Detection rule fails: {rule.name}"[:LONGEST_TITLE],
        action=Action.RESOLVE,
        fingerprint=_failure_fingerprint(rule),
        starts_at=rule.failing_since,
        ends_at=now,
    )


def _failure_fingerprint(rule: DetectionRule) -> str:
    return f"rule:{rule.pk}:failing"


def title_of(rule: DetectionRule, group: Group) -> str:
    """Return the alert's title, constant while it fires."""
    values = ": ".join(value for value in group if value)
    return (f"{rule.name}: {values}" if values else rule.name)[:LONGEST_TITLE]


def labels_of(rule: DetectionRule, spec: Spec, group: Group) -> dict[str, str]:
    """Return what routes match: rule, service and group."""
    own = {"alertname": rule.name, "rule": rule.name}
    if rule.is_outside:
        own["store"] = rule.store
    if rule.service:
        own["service"] = rule.service
    return {**{name: value for name, value in spec.labels_of(group).items() if value}, **own}


def _described(spec: Spec, verdict: Verdict, further: Sequence[str]) -> str:
    counted = (
        f"{verdict.count:,} lines within {spec.window} seconds up to {_moment(verdict.end):%Y-%m-%d %H:%M:%S} UTC; "
        f"the threshold is {spec.threshold:,}."
    )
    return "\n".join([counted, *further])


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
