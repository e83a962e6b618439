"""Remove texts that were redacted from a timeline from what runs keep."""

from collections.abc import Collection
from typing import Any

from core.db import rows
from core.text.removing import Clean, remover_of
from remediation.models import AgentJob, RuleMatch, Run, RunPhase


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Remove leaked texts from the incident's runs and their outputs, in the transaction of the redaction."""
    clean = remover_of(texts, instead)
    of_incident = Run.objects.select_for_update().filter(incident=incident_id)
    _clean(list(of_incident), ("why", "override_reason", "stopping_because"), clean)
    _clean(list(RunPhase.objects.filter(run__incident=incident_id)), ("output",), clean)
    _clean(list(AgentJob.objects.filter(incident=incident_id)), ("output",), clean)
    _clean(list(RuleMatch.objects.filter(incident=incident_id)), ("why",), clean)


def _clean(found: list[Any], names: tuple[str, ...], clean: Clean) -> None:
    changed = []
    for row in found:
        before = [getattr(row, name) for name in names]
        after = [clean(text) for text in before]
        if before != after:
            for name, text in zip(names, after, strict=True):
                setattr(row, name, text)
            changed.append(row)
    rows.update_many(changed, names)
