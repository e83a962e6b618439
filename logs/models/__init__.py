from logs.models.entry import LogEntry
from logs.models.rules import DetectionRule, DetectionRuleQuerySet, Mode, RuleSeverity

__all__ = ["DetectionRule", "DetectionRuleQuerySet", "LogEntry", "Mode", "RuleSeverity"]
