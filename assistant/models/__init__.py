from assistant.models.calls import ModelBudget, ModelCall, ModelCallQuerySet, ModelSwitch
from assistant.models.learning import LearningSchedule, RoutingModel, RoutingSuggestion, week_of
from assistant.models.verdict import Verdict

__all__ = [
    "LearningSchedule",
    "ModelBudget",
    "ModelCall",
    "ModelCallQuerySet",
    "ModelSwitch",
    "RoutingModel",
    "RoutingSuggestion",
    "Verdict",
    "week_of",
]
