"""Log lines, and the rules that look for trouble in them."""

from logs.models.entry import LogEntry, LogEntryQuerySet

__all__ = ["LogEntry", "LogEntryQuerySet"]
