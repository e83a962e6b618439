"""Jobs over schedules, safe in any number of processes."""

from core.server.jobs import Job
from responders.services.gaps import announce_gaps

JOBS = (Job("announce_gaps", announce_gaps, 60),)
