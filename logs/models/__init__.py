"""Log lines, and the rules that look for trouble in them."""

from logs.models.entry import LogEntry
from logs.models.rules import DetectionRule, DetectionRuleQuerySet, Mode, RuleSeverity

__all__ = ["DetectionRule", "DetectionRuleQuerySet", "LogEntry", "Mode", "RuleSeverity"]
