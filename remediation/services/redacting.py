"""Remove texts that were redacted from a timeline from what runs keep."""

from collections.abc import Collection
from typing import Any

from core.db import rows
from core.text.removing import Clean, cleaned, remover_of
from remediation.models import AgentJob, RuleMatch, Run, RunPhase, RunTarget
from remediation.services.agent_jobs import OPEN
from remediation.vocabulary import RunState


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Remove leaked texts from the incident's runs and their outputs, in the transaction of the redaction."""
    clean = remover_of(texts, instead)
    of_incident = Run.objects.select_for_update().filter(incident=incident_id)
    _clean(list(of_incident), ("why", "override_reason", "stopping_because"), clean)
    _clean(list(RunPhase.objects.filter(run__incident=incident_id)), ("output",), clean)
    # what runs now goes on as it was approved; a waiting one is refused, as its digest does not fit any more
    ended = of_incident.exclude(state=RunState.EXECUTING)
    _clean(list(ended), ("parameters",), clean)
    _clean(list(RunTarget.objects.filter(run__in=ended)), ("name", "details"), clean)
    _clean(list(AgentJob.objects.filter(incident=incident_id)), ("output",), clean)
    finished = AgentJob.objects.filter(incident=incident_id).exclude(state__in=OPEN)
    _clean(list(finished), ("arguments",), clean)
    _clean(list(RuleMatch.objects.filter(incident=incident_id)), ("why",), clean)


def _clean(found: list[Any], names: tuple[str, ...], clean: Clean) -> None:
    changed = []
    for row in found:
        before = [getattr(row, name) for name in names]
        after = [cleaned(value, clean) for value in before]
        if before != after:
            for name, value in zip(names, after, strict=True):
                setattr(row, name, value)
            changed.append(row)
    rows.update_many(changed, names)
