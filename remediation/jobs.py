"""Jobs of remediation: rows that are due, in any number of processes."""

import datetime as dt

from core.server.jobs import Job, until_done
from remediation.services import agent_jobs, automatic, deciding, engine

MAX_BATCHES = 50  # per run


def run_remediation(now: dt.datetime) -> int:
    """Do the due phases of runs."""
    return until_done(lambda: engine.run_due(now), 1, MAX_BATCHES)


def expire_remediation(now: dt.datetime) -> int:
    """Abort runs that nobody executed in time."""
    return until_done(lambda: deciding.expire(now), deciding.BATCH, MAX_BATCHES)


def propose_remediation(now: dt.datetime) -> int:
    """Propose runbooks for new incidents, as the runbooks say."""
    found = until_done(automatic.follow, automatic.BATCH, MAX_BATCHES)
    return found + until_done(lambda: automatic.propose_due(now), 1, MAX_BATCHES)


def prune_agent_jobs(now: dt.datetime) -> int:
    """Delete the jobs of agents that nobody waits for any more."""
    return agent_jobs.prune(now)


JOBS = (
    Job("run_remediation", run_remediation, 1, is_eager=True),
    Job("expire_remediation", expire_remediation, 30),
    Job("propose_remediation", propose_remediation, 10),
    Job("prune_agent_jobs", prune_agent_jobs, 3600),
)
