from assistant.models.calls import ModelBudget, ModelCall, ModelCallQuerySet, ModelCallTotal, ModelSwitch
from assistant.models.learning import LearningSchedule, RoutingModel, RoutingSuggestion, week_of
from assistant.models.verdict import Verdict

__all__ = [
    "LearningSchedule",
    "ModelBudget",
    "ModelCall",
    "ModelCallQuerySet",
    "ModelCallTotal",
    "ModelSwitch",
    "RoutingModel",
    "RoutingSuggestion",
    "Verdict",
    "week_of",
]
