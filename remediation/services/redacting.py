"""Remove texts that were redacted from a timeline from what runs keep."""

from collections.abc import Collection

from core.db.cleaning import clean_rows
from core.text.removing import remover_of
from remediation.models import AgentJob, RuleMatch, Run, RunPhase, RunTarget
from remediation.services.agent_jobs import OPEN
from remediation.vocabulary import RunState


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Remove leaked texts from the incident's runs and their outputs, in the transaction of the redaction."""
    clean = remover_of(texts, instead)
    of_incident = Run.objects.select_for_update().filter(incident=incident_id)
    clean_rows(list(of_incident), ("why", "override_reason", "stopping_because", "settled_note"), clean)
    clean_rows(list(RunPhase.objects.filter(run__incident=incident_id)), ("output",), clean)
    # what runs now goes on as it was approved; a waiting one is refused, as its digest does not fit any more
    ended = of_incident.exclude(state=RunState.EXECUTING)
    clean_rows(list(ended), ("parameters",), clean)
    clean_rows(list(RunTarget.objects.filter(run__in=ended)), ("name", "details"), clean)
    clean_rows(list(AgentJob.objects.filter(incident=incident_id)), ("output",), clean)
    finished = AgentJob.objects.filter(incident=incident_id).exclude(state__in=OPEN)
    clean_rows(list(finished), ("arguments",), clean)
    clean_rows(list(RuleMatch.objects.filter(incident=incident_id)), ("why",), clean)
