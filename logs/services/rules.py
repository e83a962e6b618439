"""Save rules, and cache those that look at every line."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import structlog
from cachetools import TTLCache, cached
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.services.enqueueing import enqueue
from core.db.transactions import unit_of_work
from core.errors import Conflict
from intake.models import Source
from intake.vocabulary import LOGS
from logs.detection import Index, Spec, Verdict, from_json
from logs.models import DetectionRule, Mode, RuleSeverity
from logs.models.rules import MACHINERY, check_outside
from logs.queries import QueryInvalid, saved
from logs.services.updates import recovery_update, update_of
from logs.sources.outside import stores
from logs.vocabulary import Level

log = structlog.get_logger(__name__)

SOURCE_NAME = "Log rules"
BUILTIN_NAME = "Critical log line"
BUILTIN_SECONDS = 900
MOST_LOOKED_AT = 1000
REMEMBERED_SECONDS = 1.0
SHOWN = ("name", "severity")
CONDITION = (
    *("mode", "query", "level", "service", "group_by", "threshold", "window_seconds", "check_interval_seconds"),
    *("store", "is_enabled"),
)
# settable on the built-in rule
TUNABLE = frozenset({"level", "service", "severity", "is_enabled", "group_by"})


@dataclass(frozen=True)
class Immediate:
    """Rules for every line, and the least level they want."""

    rules: dict[int, DetectionRule] = field(default_factory=dict)
    index: Index = field(default_factory=lambda: Index([]))
    floor: int = max(Level) + 1


def log_source() -> Source:
    """Return the source of rules' alerts, creating it first."""
    source, _is_new = Source.objects.get_or_create(name=SOURCE_NAME, defaults={"kind": LOGS})
    return source


def ensure_builtin() -> DetectionRule:
    """Return the built-in rule: critical lines are alerts."""
    found = DetectionRule.objects.filter(is_builtin=True).first()
    if found is not None:
        return found
    rule = DetectionRule(
        name=BUILTIN_NAME,
        mode=Mode.IMMEDIATE,
        level=Level.CRITICAL,
        group_by=["service", "template"],
        severity=RuleSeverity.CRITICAL,
        window_seconds=BUILTIN_SECONDS,
        is_builtin=True,
    )
    return save_rule(rule)


@unit_of_work
def save_rule(
    rule: DetectionRule, *, only: Collection[str] | None = None, now: dt.datetime | None = None
) -> DetectionRule:
    """Store a rule, or its fields in `only`.

    A changed condition resolves its alerts and starts afresh. Raises Conflict.
    """
    before = DetectionRule.objects.select_for_update().filter(pk=rule.pk).first() if rule.pk else None
    names = [name for name in (*SHOWN, *CONDITION) if only is None or name in only]
    changed = {name for name in names if before and getattr(before, name) != getattr(rule, name)}
    if before is not None and before.is_builtin and changed - TUNABLE:
        raise Conflict(
            _("%(before)s is built in; only %(names)s can be changed.")
            % {"before": before, "names": ", ".join(sorted(TUNABLE))},
            code="built_in",
        )
    if before is None:
        rule.source = log_source()
        _begin(rule, now or timezone.now())
        rule.save()
    elif changed & set(CONDITION):
        _end(before, now or timezone.now())
        _begin(rule, now or timezone.now())
        rule.save(update_fields=[*changed, *MACHINERY])
    elif changed:
        rule.save(update_fields=[*changed])
    clear_cache()
    return rule


@unit_of_work
def delete_rule(rule: DetectionRule) -> None:
    """Delete a rule, resolving its alerts. Raises Conflict for the built-in one."""
    present = DetectionRule.objects.select_for_update().get(pk=rule.pk)
    if present.is_builtin:
        raise Conflict(_("%(present)s is built in; disable it instead.") % {"present": present}, code="built_in")
    _end(present, timezone.now())
    rule.delete()
    clear_cache()


@cached(TTLCache(1, REMEMBERED_SECONDS), lock=Lock())
def immediate() -> Immediate:
    """Return the rules for every line, at most a second old."""
    rules, specs = {}, []
    for rule in DetectionRule.objects.immediate().select_related("source"):
        if (spec := spec_of(rule)) is not None:
            rules[rule.pk] = rule
            specs.append(spec)
    if not specs:
        return Immediate()
    return Immediate(rules, Index(specs), min(spec.level for spec in specs))


def clear_cache() -> None:
    immediate.cache_clear()


def spec_of(rule: DetectionRule) -> Spec | None:
    """Return the rule's spec; log an invalid query."""
    try:
        return rule.spec
    except QueryInvalid as error:
        log.error("detection_rule_invalid", rule=rule.pk, error=str(error))
        return None


def faulty_rules() -> list[tuple[Model, str]]:
    """Return enabled rules with useless queries, and why."""
    found: list[tuple[Model, str]] = []
    for rule in DetectionRule.objects.filter(is_enabled=True)[:MOST_LOOKED_AT]:
        try:
            if rule.is_outside:
                check_outside(rule)
            else:
                saved(rule.query)
        except QueryInvalid as error:
            found.append((rule, str(error)))
        except ValidationError as error:
            found.append((rule, " ".join(error.messages)))
    return found


def templates() -> list[dict[str, Any]]:
    """Return the rules to begin with, of all stores, with what keeps them from being used."""
    return [
        {**vars(template), "store": store.kind, "unusable_because": store.why_unusable()}
        for store in stores()
        for template in store.templates
    ]


def _begin(rule: DetectionRule, now: dt.datetime) -> None:
    is_timed = rule.is_enabled and rule.mode == Mode.THRESHOLD
    rule.next_run_at = now if is_timed else None
    rule.evaluated_until, rule.changed_at, rule.state = None, now, {}
    rule.failures, rule.failing_since, rule.last_error, rule.is_failing = 0, None, "", False


def _end(rule: DetectionRule, now: dt.datetime) -> None:
    updates = [recovery_update(rule, now)] if rule.is_failing else []
    spec = spec_of(rule)
    if spec is not None:
        end = int(now.timestamp())
        firing = from_json(rule.state).firing
        over = [Verdict(group, False, since, end, 0) for group, since in firing.items()]
        updates += [update_of(rule, spec, verdict) for verdict in over]
    if updates:
        enqueue(rule.source, updates, at=now)
