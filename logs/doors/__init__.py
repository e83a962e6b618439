"""The doors of log senders; the URL patterns and the gateway take them from here."""

from alerts.intake.doors import register
from logs.doors.own import OwnDoor
from logs.doors.vendors import GelfDoor, HecDoor, HecHealthDoor, HecProbeDoor, LokiDoor, OtlpDoor

OWN = OwnDoor()  # shares its path with the list of lines
PROBE = HecProbeDoor()  # shares its paths with those that take events
DOORS = (OtlpDoor(), LokiDoor(), HecDoor(), HecHealthDoor(), GelfDoor())


def open_doors() -> None:
    """Register them; once, when the app is ready."""
    register(OWN, *DOORS, PROBE)
