"""Simulate an incident with lines that raise an alert."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.db import models
from django.utils.translation import gettext as _

from alerts.models import Alert
from alerts.routing import alert_key
from alerts.services.enqueueing import enqueue
from core.db.transactions import unit_of_work
from core.errors import Conflict
from intake.models import IntakeEvent
from logs.detection import Tally
from logs.lines import Line
from logs.models import DetectionRule, RuleSeverity
from logs.services import rules
from logs.services.detecting import Task, evaluate, on_lines
from logs.services.storing import store
from logs.vocabulary import Level

WINDOW_SECONDS = 300
ERRORS = 60
FLOOD = 2000


class Scenario(models.TextChoices):
    HIGH_ERROR_RATE = "high_error_rate", "Error spike"
    CRITICAL_LOG = "critical_log", "Critical line"
    FLOOD = "flood", "Log flood"


@dataclass
class Simulated:
    """What was done, and how to find its alerts."""

    type: str
    service: str
    at: dt.datetime
    rule: str = ""
    lines: int = 0
    fingerprints: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)


@unit_of_work
def simulate(type: str, *, severity: str, service: str, now: dt.datetime) -> Simulated:
    """Write a scenario's lines and detect them; alerts wait in the queue.

    The built-in rule decides the severity of critical lines. Raises Conflict where it ignores them.
    """
    done = Simulated(type, service, now)
    lines = _lines(Scenario(type), service, now)
    stored = store(lines, None, now)
    done.lines = len(stored)
    done.steps.append(f"Wrote {len(stored):,} simulated log line{'s' if len(stored) > 1 else ''} of {service}.")
    if type == Scenario.CRITICAL_LOG:
        _at_once(done, stored, now)
    else:
        _in_window(done, _rule(Scenario(type), severity, len(stored), now), now)
    done.steps.append(f"Queued {len(done.fingerprints)} alert: {', '.join(done.fingerprints)}.")
    return done


def is_waiting(done: Simulated) -> bool:
    """Return whether a simulation's alerts wait to be processed."""
    return IntakeEvent.objects.waiting().filter(source=rules.log_source(), received_at=done.at).exists()


def alerts_of(done: Simulated) -> list[Alert]:
    """Return a simulation's alerts as far as they are processed."""
    source = rules.log_source()
    keys = [alert_key(source.pk, fingerprint) for fingerprint in done.fingerprints]
    return list(Alert.objects.filter(key__in=keys, last_seen_at__gte=done.at).select_related("incident"))


def _lines(scenario: Scenario, service: str, now: dt.datetime) -> list[Line]:
    def line(number: int, message: str, level: Level) -> Line:
        return Line(message, now - dt.timedelta(milliseconds=20 * number), level, service, "simulated-host")

    if scenario == Scenario.CRITICAL_LOG:
        return [line(0, "Simulated: the database has gone away", Level.CRITICAL)]
    if scenario == Scenario.FLOOD:
        return [line(number % 50, f"Simulated: request {number} served", Level.INFO) for number in range(FLOOD)]
    return [
        line(number, f"Simulated: GET /checkout failed with 500 in {number} ms", Level.ERROR)
        for number in range(ERRORS)
    ]


def _rule(scenario: Scenario, severity: str, lines: int, now: dt.datetime) -> DetectionRule:
    name = f"Simulated {scenario.label.lower()}"
    rule = DetectionRule.objects.filter(name=name).select_related("source").first() or DetectionRule(name=name)
    rule.query, rule.group_by = "Simulated", ["service"]
    rule.severity, rule.is_enabled = RuleSeverity(severity), False
    rule.level = Level.ERROR if scenario == Scenario.HIGH_ERROR_RATE else Level.INFO
    rule.threshold, rule.window_seconds = lines // 2, WINDOW_SECONDS
    return rules.save_rule(rule, now=now)


def _in_window(done: Simulated, rule: DetectionRule, now: dt.datetime) -> None:
    done.rule = rule.name
    spec = replace(rule.spec, service=done.service, interval=1)
    end = int(now.timestamp()) + 1
    task = Task(rule, spec, [end], end - spec.window, Tally())
    evaluate([task], now)
    done.steps.append(f"Rule “{rule.name}” evaluated: {len(task.updates)} group reached {rule.threshold:,} lines.")
    done.fingerprints = [update.fingerprint for update in task.updates]
    enqueue(rule.source, task.updates, at=now)


def _at_once(done: Simulated, lines: Sequence[Line], now: dt.datetime) -> None:
    rule = rules.ensure_builtin()
    spec = rule.spec
    line = lines[0]
    if not (rule.is_enabled and spec.takes(line, line.message.lower())):
        raise Conflict(
            _("The rule “%(rule)s” is disabled, or does not match such a line.") % {"rule": rule}, code="rule_is_off"
        )
    rules.clear_cache()
    on_lines(lines, now=now)
    done.rule = rule.name
    done.steps.append(f"Rule “{rule.name}” matched immediately.")
    done.fingerprints = [spec.fingerprint(spec.group_of(line))]
