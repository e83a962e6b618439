"""Every write about alerts. One module per topic; import what you need from here."""

from alerts.services.moving import merge, move, split
from alerts.services.processing import process_waiting
from alerts.services.queue import enqueue, replay
from alerts.services.sources import issue_key, revoke_key, source_of

__all__ = ["enqueue", "issue_key", "merge", "move", "process_waiting", "replay", "revoke_key", "source_of", "split"]
