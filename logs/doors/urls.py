"""Where the doors of log senders are, for Django's own handlers."""

from alerts.intake.http import patterns
from logs.doors import DOORS

urlpatterns = patterns(*DOORS)
