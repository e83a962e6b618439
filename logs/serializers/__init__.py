from logs.serializers.entries import COLUMNS, AcceptedLinesSerializer, LogEntrySerializer, NewLineSerializer, represent

__all__ = ["COLUMNS", "AcceptedLinesSerializer", "LogEntrySerializer", "NewLineSerializer", "represent"]
