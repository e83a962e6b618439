"""Where the doors of alert senders are, for Django's own handlers."""

from alerts.doors import DOORS
from alerts.intake.http import patterns

urlpatterns = patterns(*DOORS)
