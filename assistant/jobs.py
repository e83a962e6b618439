"""Background jobs; concurrency-safe, each returning a count."""

from core.server.jobs import Job

JOBS: tuple[Job, ...] = ()
