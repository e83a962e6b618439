"""The doors of alert senders; the URL patterns and the gateway take them from here."""

from alerts.doors.alertmanager_api import AlertmanagerApiDoor
from alerts.doors.intake import HeartbeatDoor, IntakeDoor, NamedHeartbeatDoor
from alerts.doors.opsgenie import (
    OpsgenieAlertDoor,
    OpsgenieAlertsDoor,
    OpsgenieHeartbeatDoor,
    OpsgeniePingDoor,
    OpsgenieRequestDoor,
)
from alerts.doors.pagerduty import PagerDutyChangeDoor, PagerDutyDoor
from alerts.intake.doors import register

# Where several paths match, the first counts.
DOORS = (
    IntakeDoor(),
    HeartbeatDoor(),
    NamedHeartbeatDoor(),
    AlertmanagerApiDoor(),
    PagerDutyDoor(),
    PagerDutyChangeDoor(),
    OpsgenieAlertsDoor(),
    OpsgenieRequestDoor(),
    OpsgenieAlertDoor(),
    OpsgeniePingDoor(),
    OpsgenieHeartbeatDoor(),
)


def open_doors() -> None:
    """Register them; once, when the app is ready."""
    register(*DOORS)
