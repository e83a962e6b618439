"""The doors of alert senders; the URL patterns and the gateway take them from here."""

from alerts.doors.alertmanager_api import AlertmanagerApiDoor
from alerts.doors.intake import HeartbeatDoor, IntakeDoor
from alerts.intake.doors import register

DOORS = (IntakeDoor(), HeartbeatDoor(), AlertmanagerApiDoor())


def open_doors() -> None:
    """Register them; once, when the app is ready."""
    register(*DOORS)
