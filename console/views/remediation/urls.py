"""Runbooks, their runs, what stops them, and what their steps need."""

from console.views.remediation import agents, brakes, installing, proposing, runbooks, runs, secrets

urlpatterns = [
    *runs.urlpatterns,
    *proposing.urlpatterns,
    *runbooks.urlpatterns,
    *brakes.urlpatterns,
    *agents.urlpatterns,
    *installing.urlpatterns,
    *secrets.urlpatterns,
]
