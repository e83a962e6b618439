"""Measuring how people are paged, on databases of their own: from the incident to the attempt, and through crashes."""
