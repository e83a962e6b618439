"""Every write about alerts. One module per topic; import what you need from here."""

from alerts.services.enqueueing import enqueue
from alerts.services.moving import merge, move, split
from alerts.services.processing import process_waiting

__all__ = ["enqueue", "merge", "move", "process_waiting", "split"]
