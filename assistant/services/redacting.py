"""Remove texts that were redacted from a timeline from what was suggested then."""

from collections.abc import Collection

from django.db.models import Q

from assistant.models import ModelCall, Verdict
from core.db import rows
from core.text.removing import cleaned, remover_of

SUMMARISED, QUOTING = "text", "hypothesis"  # of snapshots


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Remove leaked texts from the snapshots of verdicts, and whole answers of a model that was told of the incident.

    What was shortened, or said in other words, is removed whole. Runs in the transaction of the redaction.
    """
    clean = remover_of({text for leaked in texts for text in (leaked, leaked.strip())}, instead)
    changed = []
    for verdict in Verdict.objects.filter(Q(incident=incident_id) | Q(related=incident_id)):
        snapshot = cleaned(verdict.snapshot, clean)
        # neither holds a text as it was written: a summary's lines and a quoted ending are shortened
        for name in (SUMMARISED, *([QUOTING] if verdict.related_id == incident_id else [])):
            if snapshot.get(name):
                snapshot[name] = instead
        if snapshot != verdict.snapshot:
            verdict.snapshot = snapshot
            changed.append(verdict)
    rows.update_many(changed, ("snapshot",))
    told = ModelCall.objects.filter(Q(incident=incident_id) | Q(rows__contains=f" incident-{incident_id} "))
    told.update(result={}, prompt_digest="")
