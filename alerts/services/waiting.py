import datetime as dt

from django.utils import timezone
from django.utils.translation import ngettext

from alerts.assigning import group_of
from alerts.decide import stored_facts
from alerts.models import Alert, AlertGroup
from alerts.routing import choose_route
from alerts.services.rules import route_specs
from alerts.vocabulary import AlertStatus


def waits_for(alert: Alert) -> str:
    """Say what a firing alert without incident waits for, or ""."""
    if alert.incident_id or alert.silenced_by_id or alert.status != AlertStatus.FIRING:
        return ""
    route = choose_route(route_specs(), stored_facts(alert)).route
    if route is None or route.open_after_count <= 1:
        return ""
    key, _labels = group_of(alert, route)
    pending = AlertGroup.objects.filter(open_key=key).values_list("pending", flat=True).first() or []
    since = (timezone.now() - dt.timedelta(minutes=route.open_after_minutes)).timestamp()
    number = sum(at > since for _key, at in pending)
    text = ngettext(
        "waiting: %(number)d of %(count)d firings within %(minutes)d minute (route %(route)s)",
        "waiting: %(number)d of %(count)d firings within %(minutes)d minutes (route %(route)s)",
        route.open_after_minutes,
    )
    facts = {"count": route.open_after_count, "minutes": route.open_after_minutes, "route": route.name}
    return text % {"number": number, **facts}
