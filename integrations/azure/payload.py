"""Azure Monitor's action groups: the common alert schema, and the older ones, which are rewritten as the common one.

Sources: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema, and beside it the pages
activity-log-alerts-webhook, alerts-metric-near-real-time, alerts-log-webhook and alerts-webhooks. An alert of Service
Health or Resource Health is Fired even where it tells of an end, each with another alertId: the event in it counts.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from alerts.reading.values import (
    first,
    json_object,
    labels,
    links,
    mapping,
    moment,
    objects,
    severity,
    state,
    text,
    texts,
)
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Azure Monitor"
SNIPPET = """\
Monitor → Alerts → Action groups → Create → Actions, type "Webhook":
URI: {url}/intake/{key}/
Enable the common alert schema: Yes
"""
_TESTING = "11111111-1111-1111-1111-111111111111"  # the subscription that "Test action group" speaks of
_STAGES = {"planned": Action.FIRE, "rescheduled": Action.FIRE, "rca": Action.NOTE}
_ENDLESS = ("activity log", "log analytics", "application insights", "costalerts")
_PORTAL = "https://portal.azure.com/#"
_DETAILS = f"{_PORTAL}blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/"


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of an alert; none for what "Test action group" sends."""
    body = json_object(request)
    data = mapping(body.get("data")) or body  # classic alerts have none
    if not mapping(data.get("essentials")):
        data = _as_common(data)
    essentials = mapping(data["essentials"])
    update = _update(essentials, mapping(data.get("alertContext")), data)
    return [] if _TESTING in text(essentials.get("alertId")) else [update]


def _update(essentials: dict[str, Any], context: dict[str, Any], data: dict[str, Any]) -> AlertUpdate:
    alert, word = text(essentials.get("alertId")), text(essentials.get("monitorCondition"))
    if not alert:
        raise IntakeError("The payload has no data.essentials.alertId to identify the alert.")
    action, is_guess = state(word)
    target, rule = _first_of(essentials.get("alertTargetIDs")), text(essentials.get("alertRule"))
    service = text(essentials.get("monitoringService"))
    conditions = _conditions(context)
    how_bad = text(essentials.get("severity"))
    update = AlertUpdate(
        title=first(rule, "Alert in Azure"),
        action=action,
        fingerprint=alert,
        severity=severity(how_bad),
        severity_word=how_bad,
        description="\n".join(filter(None, (text(essentials.get("description")), *map(_describe, conditions)))),
        labels={
            **_dimensions(conditions),
            **texts(data.get("customProperties")),
            **_resource(first(_first_of(essentials.get("configurationItems")), target), target),
            **labels(rule=rule, monitoring=service, signal=essentials.get("signalType")),
        },
        links=links(
            ("Alert", _DETAILS + quote(alert, safe="") if "/alerts/" in alert else ""),
            ("Resource", target and f"{_PORTAL}resource{target}"),
            ("Investigation", essentials.get("investigationLink")),
            (
                "Query",
                first(*(one.get("linkToSearchResultsUI") for one in conditions), context.get("LinkToSearchResults")),
            ),
        ),
        starts_at=moment(essentials.get("firedDateTime")),
        ends_at=moment(essentials.get("resolvedDateTime")) if action == Action.RESOLVE else None,
        status_word=word,
        is_guess=is_guess,
        may_never_end=service.lower().startswith(_ENDLESS),
    )
    return _of_event(update, context, target or alert) if context.get("eventSource") else update


def _of_event(update: AlertUpdate, event: dict[str, Any], key: str) -> AlertUpdate:
    source, properties = text(event.get("eventSource")).replace(" ", ""), mapping(event.get("properties"))
    level, at = text(event.get("level")), moment(event.get("eventTimestamp"))
    update = replace(update, severity=severity(level), severity_word=level) if level else update
    if source == "ServiceHealth":
        word = first(properties.get("stage"), event.get("status"))
        key, began = first(properties.get("trackingId"), update.fingerprint), moment(properties.get("impactStartTime"))
    elif source == "ResourceHealth":
        word, began = first(properties.get("currentHealthStatus"), event.get("status")), at
    else:
        return replace(update, may_never_end=True)
    action, is_guess = state(word, _STAGES)
    is_over = action == Action.RESOLVE
    return replace(
        update,
        action=action,
        fingerprint=key,
        title=first(properties.get("title"), update.title),
        description=first(properties.get("communication"), properties.get("details"), update.description),
        labels={**update.labels, **labels(service=properties.get("service"), region=properties.get("region"))},
        starts_at=None if is_over and began == at else began,
        ends_at=at if is_over else None,
        status_word=word,
        is_guess=is_guess,
        note=f"Azure says: {word}." if action == Action.NOTE else "",
        may_never_end=False,
    )


def _as_common(data: dict[str, Any]) -> dict[str, Any]:
    context = mapping(data.get("context"))
    if event := mapping(context.get("activityLog")):
        return _common(
            [first(event.get("correlationId"), event.get("eventDataId"))],
            alertRule=event.get("operationName"),
            monitorCondition=data.get("status"),
            alertTargetIDs=[event.get("resourceId")],
            firedDateTime=event.get("eventTimestamp"),
            description=event.get("description"),
            context=event,
        )
    if context:
        return _metric(context, data)
    if not first(data.get("AlertRuleName"), data.get("BudgetName")):
        raise IntakeError("The payload has no data.essentials; does the action group's webhook use the common schema?")
    where = first(data.get("WorkspaceId"), data.get("ApplicationId"), data.get("SubscriptionId"))
    spent = " ".join(filter(None, map(text, (data.get("SpendingAmount"), "of", data.get("Budget"), data.get("Unit")))))
    return _common(
        [where, first(data.get("AlertRuleName"), data.get("BudgetName"))],
        alertRule=first(data.get("AlertRuleName"), f"Budget {text(data.get('BudgetName'))}"),
        severity=data.get("Severity"),
        monitorCondition="Fired",
        monitoringService="Log Analytics" if data.get("AlertRuleName") else "CostAlerts",
        description=first(data.get("Description"), data.get("SearchQuery"), spent),
        context=data,
    )


def _metric(context: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return a metric or classic alert, which is told by its rule, resource and dimensions."""
    rule, number = first(context.get("id"), context.get("name")), text(context.get("severity"))
    if not rule:
        raise IntakeError("The payload has no context.id to identify the alert.")
    if not text(data.get("status")):
        raise IntakeError("The payload has no status to say whether the alert fires.")
    is_over = state(data.get("status"))[0] == Action.RESOLVE
    return _common(
        [rule, context.get("resourceId"), *_dimensions(_conditions(context)).values()],
        alertRule=context.get("name"),
        severity=f"Sev{number}" if number.isdecimal() else number,
        monitorCondition=data.get("status"),
        alertTargetIDs=[context.get("resourceId")],
        configurationItems=[context.get("resourceName")],
        description=context.get("description"),
        context=context,
        properties=data.get("properties"),
        **{"resolvedDateTime" if is_over else "firedDateTime": context.get("timestamp")},
    )


def _common(key: list[Any], *, context: dict[str, Any], properties: Any = None, **essentials: Any) -> dict[str, Any]:
    essentials["alertId"] = ":".join(filter(None, map(text, key)))
    return {"essentials": essentials, "alertContext": context, "customProperties": properties}


def _first_of(values: Any) -> str:
    return first(*values[:20]) if isinstance(values, list) else text(values)


def _resource(name: str, target: str) -> dict[str, str]:
    """Return what an ID says of its resource: /subscriptions/ID/resourceGroups/NAME/providers/TYPE/…/NAME."""
    parts = target.split("/")
    said = dict(zip(map(str.lower, parts[1::2]), parts[2::2], strict=False))
    group, subscription = said.get("resourcegroups"), said.get("subscriptions")
    return labels(resource=name.rpartition("/")[2], resource_group=group, subscription=subscription)


def _conditions(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the first conditions; a classic alert has one, which is no list."""
    condition = mapping(context.get("condition"))
    return (objects(condition.get("allOf")) or [condition])[:20]


def _describe(condition: dict[str, Any]) -> str:
    names = ("metricName", "metricMeasureColumn", "operator", "threshold")
    parts = (" ".join(filter(None, map(text, map(condition.get, names)))), text(condition.get("metricValue")))
    return ": ".join(filter(None, parts))


def _dimensions(conditions: list[dict[str, Any]]) -> dict[str, str]:
    pairs = [one for condition in conditions for one in objects(condition.get("dimensions"))]
    return texts({text(one.get("name")): one.get("value") for one in pairs})
