from assistant.models.calls import ModelBudget, ModelCall, ModelCallQuerySet, ModelSwitch

__all__ = ["ModelBudget", "ModelCall", "ModelCallQuerySet", "ModelSwitch"]
