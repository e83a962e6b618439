"""Every write about alerts. One module per topic; import what you need from here."""

from alerts.services.enqueueing import enqueue
from alerts.services.processing import process_waiting
from alerts.services.reassign import merge, move, split

__all__ = ["enqueue", "merge", "move", "process_waiting", "split"]
