"""The doors of log senders; the URL patterns and the gateway take them from here."""

from alerts.intake.doors import Door, register

DOORS: tuple[Door, ...] = ()


def open_doors() -> None:
    """Register them; once, when the app is ready."""
    register(*DOORS)
