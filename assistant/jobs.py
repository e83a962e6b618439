"""Background jobs; concurrency-safe, each returning a count."""

import datetime as dt

from assistant.services import answering, asking, learning, model_retention, routing_records
from core.server.jobs import Job, until_done

MAX_BATCHES = 50  # per run


def train_routing(now: dt.datetime) -> int:
    """Learn from resolved incidents, where there are enough new ones."""
    return learning.train_if_due(now)


def suggest_routing(now: dt.datetime) -> int:
    """Store suggestions for new incidents, and compare them with what resolved ones became."""
    return until_done(routing_records.follow, routing_records.BATCH, MAX_BATCHES)


def ask_model(now: dt.datetime) -> int:
    """Ask the language model what waits."""
    return answering.answer_waiting()


def ask_model_at_opening(now: dt.datetime) -> int:
    """Have the model asked about new incidents, if the operator wants it."""
    return until_done(asking.follow_openings, asking.BATCH, MAX_BATCHES)


def prune_model_calls(now: dt.datetime) -> int:
    """Delete questions to the model that are past their retention."""
    return until_done(lambda: model_retention.prune(now), model_retention.BATCH)


JOBS = (
    Job("train_routing", train_routing, 60),
    Job("suggest_routing", suggest_routing, 10),
    Job(asking.JOB, ask_model, 10),
    Job("ask_model_at_opening", ask_model_at_opening, 10),
    Job("prune_model_calls", prune_model_calls, 600),
)
