"""Jobs over schedules, safe in any number of processes."""

from core.server.jobs import Job
from responders.services.gaps import announce_gaps
from responders.services.importing import fetch_due

JOBS = (Job("announce_gaps", announce_gaps, 60), Job("fetch_calendars", fetch_due, 30))
