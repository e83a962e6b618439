"""Sources, their keys, and what they sent."""

from intake.models.event import IntakeEvent, IntakeEventQuerySet
from intake.models.source import Source, SourceKey, UnknownWord

__all__ = ["IntakeEvent", "IntakeEventQuerySet", "Source", "SourceKey", "UnknownWord"]
