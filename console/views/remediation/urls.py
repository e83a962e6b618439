"""Runbooks, their runs, and what stops them."""

from console.views.remediation import brakes, proposing, runbooks, runs

urlpatterns = [*runs.urlpatterns, *proposing.urlpatterns, *runbooks.urlpatterns, *brakes.urlpatterns]
