from assistant.views.suggestions import SuggestionsView, VerdictView

__all__ = ["SuggestionsView", "VerdictView"]
