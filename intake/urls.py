"""Where the endpoints of senders are, for Django's own handlers."""

from intake.endpoints import doors
from intake.http import patterns

urlpatterns = patterns(*(door for door in doors() if door.has_route))
