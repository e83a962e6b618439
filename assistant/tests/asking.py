"""What tests of questions to a model share."""

import json
import re
from typing import Any

from assistant.models import ModelCall
from assistant.services.answering import answer_waiting
from assistant.services.asking import ask
from assistant.tests.fakes import Reply
from assistant.vocabulary import Task
from incidents.models import Incident
from users.models import User

ROW = re.compile(r"\[((?:event|change|alert|log|incident)-\d+)\] ")


def rows_told(told: str) -> list[str]:
    """The ids of the rows of a prompt, in order."""
    return ROW.findall(told)


def causes(*claims: tuple[str, list[str]], confidence: float = 0.6) -> str:
    """An answer to the question for causes."""
    rows = [{"hypothesis": text, "confidence": confidence, "evidence": ids} for text, ids in claims]
    return json.dumps({"causes": rows})


def sentences(*claims: tuple[str, list[str]]) -> str:
    """An answer to the question for a summary."""
    return json.dumps({"sentences": [{"text": text, "evidence": ids} for text, ids in claims]})


def sound(told: str) -> str | Reply:
    """A model that cites the first row it was told."""
    claim = ("It began there.", rows_told(told)[:1])
    return causes(claim) if "likely causes" in told else sentences(claim)


def asked(incident: Incident, by: User, task: Task = Task.CAUSES, **given: Any) -> ModelCall:
    """The call after the worker ran."""
    call = ask(incident, task=task, by=by, **given)
    answer_waiting()
    call.refresh_from_db()
    return call
