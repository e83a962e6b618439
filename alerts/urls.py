"""The doors of alert senders; the API's routes are in `api`."""

from alerts.doors import DOORS
from alerts.intake.http import patterns

doors = patterns(*DOORS)
