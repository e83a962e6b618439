from assistant.models.calls import ModelBudget, ModelCall, ModelCallQuerySet, ModelSwitch
from assistant.models.learning import LearningSchedule, RoutingModel, RoutingSuggestion, week_of

__all__ = [
    "LearningSchedule",
    "ModelBudget",
    "ModelCall",
    "ModelCallQuerySet",
    "ModelSwitch",
    "RoutingModel",
    "RoutingSuggestion",
    "week_of",
]
