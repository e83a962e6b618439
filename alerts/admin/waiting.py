"""Why an alert that fires has no incident yet."""

import datetime as dt

from django.utils import timezone

from alerts.matching import facts_of
from alerts.models import Alert, AlertGroup
from alerts.routing import RouteSpec, decide, group_key, group_labels
from alerts.services.rules import rules
from alerts.vocabulary import AlertStatus
from core.severity import Severity


def waits_for(alert: Alert) -> str:
    """How much of its group has fired of what its route asks for, in words; "" where it waits for nothing."""
    if alert.incident_id or alert.silenced_by_id or alert.status != AlertStatus.FIRING:
        return ""
    facts = facts_of(alert.labels, severity=Severity(alert.severity).word, source=alert.source.name)
    rule = decide(rules(), facts).rule
    if rule is None or rule.open_after_count <= 1:
        return ""
    number = _fired_lately(alert, rule)
    within = f"{rule.open_after_minutes} minute{'s' if rule.open_after_minutes != 1 else ''}"
    return f"waits: {number} of {rule.open_after_count} within {within} (route {rule.name})"


def _fired_lately(alert: Alert, rule: RouteSpec) -> int:
    labels = group_labels(alert.source.group_by if rule.group_by is None else rule.group_by, alert.labels)
    key = group_key(source_id=alert.source_id, rule=rule, labels=labels, alert_key=alert.key)
    pending = AlertGroup.objects.filter(open_key=key).values_list("pending", flat=True).first() or []
    since = (timezone.now() - dt.timedelta(minutes=rule.open_after_minutes)).timestamp()
    return sum(at > since for _, at in pending)
