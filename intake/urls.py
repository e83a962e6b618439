"""Routes of senders' endpoints, for Django's own handlers."""

from intake.endpoints import endpoints
from intake.http import patterns

urlpatterns = patterns(*(endpoint for endpoint in endpoints() if endpoint.has_route))
