from assistant.views.accuracy import AccuracyView
from assistant.views.asking import AskView
from assistant.views.suggestions import SuggestionsView, VerdictView

__all__ = ["AccuracyView", "AskView", "SuggestionsView", "VerdictView"]
