from logs.serializers.entries import COLUMNS, LogEntrySerializer, NewLineSerializer, TakenSerializer, represent

__all__ = ["COLUMNS", "LogEntrySerializer", "NewLineSerializer", "TakenSerializer", "represent"]
