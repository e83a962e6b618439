from assistant.views.asking import AskView
from assistant.views.suggestions import SuggestionsView, VerdictView

__all__ = ["AskView", "SuggestionsView", "VerdictView"]
